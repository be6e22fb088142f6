import pytest

from mien.core.emotions import DEFAULT_LABELS, LANGUAGES, Emotion, display_name, parse_emotion
from mien.core.errors import OptionError


def test_default_labels_are_the_seven_in_the_order_of_arrays() -> None:
    assert DEFAULT_LABELS == ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_name_in_every_language_leads_back_to_its_emotion(language: str) -> None:
    names = [emotion.label(language) for emotion in Emotion]

    assert len(set(names)) == len(Emotion)
    assert [parse_emotion(name) for name in names] == list(Emotion)


@pytest.mark.parametrize(
    ("word", "emotion"),
    [
        ("Anger", Emotion.ANGRY),
        ("  HAPPINESS ", Emotion.HAPPY),
        ("SU", Emotion.SURPRISE),
        ("frica", Emotion.FEAR),
        ("Tuc gian", Emotion.ANGRY),
        ("Buồn bã", Emotion.SAD),
    ],
)
def test_spellings_case_and_accents_do_not_matter(word: str, emotion: Emotion) -> None:
    assert parse_emotion(word) is emotion


def test_an_unknown_word_is_no_emotion_and_is_shown_as_it_is() -> None:
    assert parse_emotion("boredom") is None
    assert display_name("boredom", "vi") == "boredom"


def test_no_emotion_reads_uncertain() -> None:
    assert display_name(None) == "uncertain"
    assert {display_name(None, language) for language in LANGUAGES} >= {"uncertain", "Nesigur"}


def test_an_unknown_language_names_itself_and_the_choices() -> None:
    with pytest.raises(OptionError, match=r"'fr'.*en, vi, ro"):
        display_name("happy", "fr")
