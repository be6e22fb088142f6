from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from mien.core.errors import ModelError, ModelNotFoundError, OptionError
from mien.testing import FakeSession, fake_card, tiny_onnx
from mien.zoo.session import OnnxSession

CARD = fake_card()
HAS_CUDA = "CUDAExecutionProvider" in onnxruntime.get_available_providers()


def batch(count: int) -> NDArray[np.float32]:
    return np.random.default_rng(count).random((count, 1, 48, 48), dtype=np.float32)


def brightness(*values: float) -> NDArray[np.float32]:
    return np.stack([np.full((1, 48, 48), value, dtype=np.float32) for value in values])


def test_it_runs_a_file_and_its_content_alike(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(tiny_onnx(CARD))
    by_path, by_content = OnnxSession(path, threads=1), OnnxSession(path.read_bytes(), threads=1)
    assert by_path.input_shape == (1, 48, 48)
    assert by_path.output_size == 7
    logits = by_path.run(batch(3))
    assert logits.shape == (3, 7)
    assert logits.dtype == np.float32
    np.testing.assert_array_equal(logits, by_content.run(batch(3)))


def test_brightness_picks_the_label_as_in_the_fake_session() -> None:
    pictures = brightness(0.0, 0.2, 0.5, 0.8, 1.0)
    real = OnnxSession(tiny_onnx(CARD), threads=1).run(pictures)
    fake = FakeSession().run(pictures)
    assert real.argmax(axis=1).tolist() == fake.argmax(axis=1).tolist() == [0, 1, 3, 5, 6]


def test_no_picture_gives_no_row() -> None:
    assert OnnxSession(tiny_onnx(CARD)).run(batch(0)).shape == (0, 7)


@pytest.mark.parametrize("count", [1, 3, 4, 9])
def test_a_fixed_batch_in_the_file_is_served(count: int) -> None:
    free, fixed = OnnxSession(tiny_onnx(CARD), threads=1), OnnxSession(tiny_onnx(CARD, batch=4), threads=1)
    np.testing.assert_allclose(fixed.run(batch(count)), free.run(batch(count)), atol=1e-5)


def test_the_metadata_is_readable() -> None:
    assert OnnxSession(tiny_onnx(CARD, metadata="words")).metadata["mien.card"] == "words"


@pytest.mark.parametrize("shape", [(1, 1, 48, 47), (1, 3, 48, 48), (1, 48, 48), (48, 48)])
def test_a_batch_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(OptionError, match=r"\(N, 1, 48, 48\)"):
        OnnxSession(tiny_onnx(CARD)).run(np.zeros(shape, dtype=np.float32))


def test_a_batch_of_another_type_is_refused() -> None:
    with pytest.raises(OptionError, match="float64"):
        OnnxSession(tiny_onnx(CARD)).run(np.zeros((1, 1, 48, 48)))  # type: ignore[arg-type]


def test_many_threads_share_one_session() -> None:
    session = OnnxSession(tiny_onnx(CARD), threads=1)
    batches = [batch(count) for count in range(1, 40)]
    expected = [session.run(one) for one in batches]
    with ThreadPoolExecutor(8) as pool:
        for found, wanted in zip(pool.map(session.run, batches), expected, strict=True):
            np.testing.assert_array_equal(found, wanted)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match=r"nowhere\.onnx"):
        OnnxSession(tmp_path / "nowhere.onnx")
    with pytest.raises(ModelNotFoundError, match="not a file"):
        OnnxSession(tmp_path)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(tiny_onnx(CARD))
    path.chmod(0)
    with pytest.raises(ModelError, match="permission denied"):
        OnnxSession(path)


@pytest.mark.parametrize("content", [b"", b"no network", tiny_onnx(CARD)[:200], bytes(5000)])
def test_what_is_no_network_is_refused_in_silence(content: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ModelError, match="photo"):
        OnnxSession(content, source="photo")
    assert capfd.readouterr() == ("", "")


def test_a_name_that_is_no_text_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ModelError):
        OnnxSession(tiny_onnx(CARD).replace(b"picture", b"pictur\xac", 1))
    with pytest.raises(ModelError, match="metadata"):
        _ = OnnxSession(tiny_onnx(CARD, metadata="words").replace(b"words", b"word\xac")).metadata
    assert capfd.readouterr() == ("", "")


def test_a_file_over_the_limit_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.onnx"
    with path.open("wb") as file:
        file.truncate(2**31)
    with pytest.raises(ModelError, match="2 GiB"):
        OnnxSession(path)


@pytest.mark.parametrize("threads", [0, -1, True, 1.5, "2"])
def test_threads_are_a_whole_number(threads: object) -> None:
    with pytest.raises(OptionError, match="threads"):
        OnnxSession(tiny_onnx(CARD), threads=threads)  # type: ignore[arg-type]


def test_an_unknown_device_lists_the_known() -> None:
    with pytest.raises(OptionError, match=r"'tpu'.*auto, cpu, cuda"):
        OnnxSession(tiny_onnx(CARD), device="tpu")


@pytest.mark.skipif(HAS_CUDA, reason="this onnxruntime has CUDA")
def test_cuda_without_its_package_says_what_to_do() -> None:
    with pytest.raises(ModelError, match="onnxruntime-gpu"):
        OnnxSession(tiny_onnx(CARD), device="cuda")
    assert OnnxSession(tiny_onnx(CARD), device="auto").device == "cpu"


@pytest.mark.skipif(not HAS_CUDA, reason="needs an onnxruntime with cuda")
def test_cuda_gives_what_the_processor_gives() -> None:
    cuda, cpu = OnnxSession(tiny_onnx(CARD), device="cuda"), OnnxSession(tiny_onnx(CARD), device="cpu")
    assert cuda.device == "cuda"
    np.testing.assert_allclose(cuda.run(batch(5)), cpu.run(batch(5)), atol=1e-3)


def test_another_kind_of_network_is_refused() -> None:
    wide = fake_card(["a", "b"])
    assert OnnxSession(tiny_onnx(wide)).output_size == 2
    with pytest.raises(ModelError, match="not an ONNX network"):
        OnnxSession(tiny_onnx(wide, last="Unheard"), source="x")
    # an operator that turns logits into a truth value: not a classifier's output
    with pytest.raises(ModelError):
        OnnxSession(tiny_onnx(wide, last="Not"))


def test_colour_networks_read_three_channels() -> None:
    colour = replace(CARD, input=replace(CARD.input, colour="rgb", width=32))
    session = OnnxSession(tiny_onnx(colour), threads=1)
    assert session.input_shape == (3, 48, 32)
    assert session.run(np.zeros((2, 3, 48, 32), dtype=np.float32)).shape == (2, 7)


def test_yunet_is_no_classifier(shared: Path) -> None:
    with pytest.raises(ModelError, match="first output"):
        OnnxSession(shared / "models" / "face_detection_yunet_2023mar.onnx")
