"""Recipes by name, from files, and what was given over both."""

from dataclasses import asdict
from pathlib import Path

import pytest

from mien.core.errors import OptionError, TrainingError
from mien.training.config import TrainingConfig
from mien.training.presets import FINE_TUNE, PRESETS, resolve
from mien.training.run_folder import read_config
from mien.training.search_space import parse_search


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_a_configuration_of_a_known_network(name: str) -> None:
    config = resolve(name, None, {}, {"architecture": "mien-base"} if name == FINE_TUNE else None)
    for option, value in PRESETS[name].items():
        assert getattr(config, option) == value


def test_the_network_of_the_weights_is_trained_where_no_other_is_named(tmp_path: Path) -> None:
    narrow = {"architecture": "r2", "width": 0.35}
    config = resolve("fine-tune", None, {"epochs": 3}, narrow)
    assert (config.architecture, config.width, config.epochs) == ("r2", 0.35, 3)
    assert resolve(None, None, {"architecture": "r2", "width": 0.5}, narrow).width == 0.5
    assert resolve("r1", None, {}, narrow).architecture == "r1"
    with pytest.raises(OptionError, match="needs weights"):
        resolve("fine-tune", None, {})


def test_options_of_a_network_belong_to_it() -> None:
    assert TrainingConfig(architecture="r2", input_size=0).network_options()["input_size"] is None
    assert TrainingConfig(architecture="mien-tiny", attention=False).network_options() == {
        "attention": False,
        "standardise": False,
    }
    assert TrainingConfig(architecture="r1").network_options() == {}
    assert TrainingConfig(architecture="a.b:C", width=2.0).network_options() == {"width": 2.0}
    with pytest.raises(OptionError, match="attention is no option of r4; it belongs to mien-base"):
        TrainingConfig(architecture="r4", attention=False)


def test_without_a_preset_the_recipe_is_miens() -> None:
    assert resolve(None, None, {}) == TrainingConfig() == resolve("mien-base", None, {})


def test_the_published_figures_of_the_reference_systems() -> None:
    r1, r3, r4 = (resolve(name, None, {}) for name in ("r1", "r3", "r4"))
    assert (r1.learning_rate, r1.batch_size, r1.epochs, r1.patience) == (1e-4, 8, 50, 10)
    assert (r3.rotation, r3.shear, r3.scale, r3.shift, r3.plateau_factor) == (30, 0.2, 0.3, 0.3, 0.2)
    assert (r4.min_delta, r4.plateau_cooldown, r4.plateau_floor, r4.monitor) == (0.001, 2, 1e-6, "accuracy")


def test_given_options_stand_over_the_file_and_the_file_over_the_preset(tmp_path: Path) -> None:
    file = tmp_path / "recipe.toml"
    file.write_text('epochs = 7\nbatch_size = 16\nschedule = "cosine"\n')
    config = resolve("r1", file, {"batch_size": 64})
    assert (config.architecture, config.epochs, config.batch_size, config.schedule) == ("r1", 7, 64, "cosine")


@pytest.mark.parametrize("name", ["r3", "r4", "r5"])
def test_miens_recipe_suits_networks_that_read_one_size_only(name: str) -> None:
    assert resolve(None, None, {"architecture": name}) == TrainingConfig(architecture=name, small_fraction=0)
    assert resolve(None, None, {}, {"architecture": name}).small_fraction == 0
    for asked in ({"small_fraction": 0.5}, {"small_fraction": 0.65}):
        with pytest.raises(OptionError, match=f"small_fraction has to be 0 for {name}, not 0"):
            resolve(None, None, {"architecture": name, **asked})
    with pytest.raises(OptionError, match="small_fraction has to be 0"):
        parse_search(["small_fraction=0,0.4"], resolve(None, None, {"architecture": name}))


def test_a_stored_configuration_can_be_given_back(tmp_path: Path) -> None:
    config = resolve("r3", None, {"seed": 5})
    file = tmp_path / "stored.toml"
    lines = [f"{k} = {str(v).lower() if isinstance(v, bool) else repr(v)}" for k, v in asdict(config).items()]
    file.write_text("\n".join(lines))
    assert resolve(None, file, {}) == config


def test_the_configuration_of_a_run_is_a_recipe_too(tmp_path: Path) -> None:
    config = resolve("r3", None, {"seed": 5})
    file = tmp_path / "config.json"
    file.write_text(config.to_json())
    assert resolve(None, file, {}) == config
    assert resolve(None, file, {"seed": 6}).seed == 6


def test_code_that_only_a_runs_configuration_names_is_not_imported(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text('{"architecture": "nobody.knows:Network", "small_fraction": 0.0}')
    with pytest.raises(OptionError, match="whose code would run"):
        resolve(None, file, {})
    assert resolve(None, file, {"architecture": "nobody.knows:Network"}).epochs == 55


@pytest.mark.parametrize(
    ("text", "says"),
    [("{", "no JSON"), ("[1]", "no JSON object"), ('{"epochs": 0}', "between"), ("[" * 9999, "no JSON")],
)
def test_a_bad_configuration_of_a_run_says_what_is_wrong(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "config.json"
    file.write_text(text)
    with pytest.raises(OptionError, match=says):
        resolve(None, file, {})
    with pytest.raises(TrainingError, match=says) as caught:
        read_config(tmp_path)
    assert "config.json' is damaged" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [("epochs = ", "not TOML"), ("epoch = 3", "epoch"), ("epochs = 0", "between"), ('flip = "yes"', "flip")],
)
def test_a_bad_file_says_what_is_wrong(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "recipe.toml"
    file.write_text(text)
    with pytest.raises(OptionError, match=says):
        resolve(None, file, {})


def test_unknown_presets_and_missing_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="r1, r2"):
        resolve("r9", None, {})
    with pytest.raises(OptionError, match="cannot be read"):
        resolve(None, tmp_path / "nowhere.toml", {})
