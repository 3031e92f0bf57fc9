"""TokenCodec: bytes of every token, and text that never becomes a control token."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recording import CORPUS, TOKENIZERS, codec
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import ByT5Tokenizer, PreTrainedTokenizerFast

from react_envs.errors import ArgumentError
from react_envs.tokenization import ByteTokenizer, TokenCodec, as_codec

CONTROL = ["<|im_end|>", "<|im_start|>", "</s>", "<s>", "[INST]", "<unk>", "<bos>", "<eos>"]
ANY_TEXT = st.lists(st.one_of(st.text(max_size=8), st.sampled_from(CONTROL)), max_size=5).map(
    "".join
)
NORMALISES = "▁"
"""SentencePiece writes a space as this character, which it therefore cannot keep."""


@pytest.mark.parametrize("name", [*TOKENIZERS])
@settings(max_examples=60, deadline=None)
@given(ANY_TEXT)
def test_the_tokens_of_any_text_spell_it_and_control_nothing(name: str, text: str) -> None:
    own = codec(name)
    ids = own.encode(text)
    assert own.control_ids.isdisjoint(ids)
    wanted = text.encode("utf-8", "replace")
    if NORMALISES not in text:
        assert own.bytes_of(ids) == wanted
    assert own.bytes_of(ids) == b"".join(own.pieces(ids))


@pytest.mark.parametrize("name", [*TOKENIZERS])
def test_a_text_that_follows_another_has_no_space_before_it(name: str) -> None:
    own = codec(name)
    for text in ("a", " a", "\n", "Observation: 15\n", "🙂"):
        assert own.bytes_of([*own.encode("Question:"), *own.encode(text)]) == (
            b"Question:" + text.encode()
        )


@pytest.mark.parametrize("name", [*TOKENIZERS])
def test_special_tokens_have_a_name_and_no_text(name: str) -> None:
    own = codec(name)
    for index in sorted(own.control_ids)[:5]:
        assert own.bytes_of([index]) == b""
        assert own.literal_bytes_of([index]) != b""


def test_a_prompt_begins_as_the_tokenizer_begins_a_text() -> None:
    assert codec("qwen").encode_prompt("a") == codec("qwen").encode("a")
    assert codec("sentencepiece").encode_prompt("a")[0] == 1
    assert codec("tekken").encode_prompt("a")[0] == 1
    assert codec("bytes").encode_prompt("a") == [256, 97]
    # the space that the model is used to reading before a text is there, once
    assert codec("sentencepiece").bytes_of(codec("sentencepiece").encode_prompt("a")) == b" a"


def test_tokenizers_of_transformers_are_seen_as_their_backends_are() -> None:
    backend = TOKENIZERS["qwen"]()
    fast = PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<|im_end|>")
    own = as_codec(fast)
    for text in CORPUS:
        assert own.encode(text) == codec("qwen").encode(text)
    assert own.eos_id == fast.eos_token_id
    assert own.eos_id in own.control_ids


def test_the_settings_of_a_tokenizer_stay_as_they_were() -> None:
    backend = TOKENIZERS["qwen"]()
    fast = PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<|im_end|>")
    before = fast.encode("a<|im_end|>")
    assert as_codec(fast).encode("a<|im_end|>") != before
    assert fast.encode("a<|im_end|>") == before


def test_a_tokenizer_written_in_python_is_seen_as_bytes() -> None:
    own = as_codec(ByT5Tokenizer())
    assert own.bytes_of(own.encode("é🙂 </s>")) == "é🙂 </s>".encode()


def test_other_decoders_have_their_own_spaces() -> None:
    vocabulary = {"a</w>": 0, "b": 1, "c</w>": 2, "bc</w>": 3}
    tokenizer = Tokenizer(models.BPE(vocabulary, [("b", "c</w>")], end_of_word_suffix="</w>"))
    tokenizer.decoder = decoders.BPEDecoder(suffix="</w>")
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    assert as_codec(tokenizer).bytes_of([0, 3]) == b"a bc "


@pytest.mark.parametrize("decoder", [decoders.WordPiece(), None], ids=["wordpiece", "none"])
def test_a_tokenizer_without_bytes_is_refused_with_a_way_out(decoder: Any) -> None:
    tokenizer = Tokenizer(models.WordLevel({"a": 0, "[UNK]": 1}, unk_token="[UNK]"))
    if decoder is not None:
        tokenizer.decoder = decoder
    with pytest.raises(ArgumentError, match="token_bytes"):
        as_codec(tokenizer)


def test_a_codec_is_its_own_codec() -> None:
    own = codec("bytes")
    assert as_codec(own) is own


def test_an_id_that_no_token_has_is_told() -> None:
    own = codec("qwen")
    with pytest.raises(LookupError):
        own.bytes_of([10_000])
    assert own.readable([*own.encode("a"), 10_000]) == "a"


def test_a_vocabulary_may_lack_letters() -> None:
    own = TokenCodec(lambda text: ["xy".index(c) for c in text], [b"x", b"y"].__getitem__)
    assert own.encode("xyy") == [0, 1, 1]
    assert own.bytes_of([0, 1]) == b"xy"


def test_bytes_are_tokens_of_the_byte_tokenizer() -> None:
    own = as_codec(ByteTokenizer())
    assert own.encode("hé") == [104, 195, 169]
    assert own.literal_bytes_of([256, 104, 257]) == b"<bos>h<eos>"


def test_an_encoding_of_tiktoken() -> None:
    import tiktoken

    ranks = {bytes([byte]): byte for byte in range(256)} | {b"th": 256, b"the": 257}
    encoding = tiktoken.Encoding(
        "tiny", pat_str=r"\S+|\s+", mergeable_ranks=ranks, special_tokens={"<|endoftext|>": 258}
    )
    own = as_codec(encoding)
    assert own.encode("the") == [257]
    assert own.eos_id == 258
    assert own.control_ids.isdisjoint(own.encode("a<|endoftext|>"))
    assert own.bytes_of(own.encode("é<|endoftext|>")) == "é<|endoftext|>".encode()


def test_without_a_decoder_the_pre_tokenizer_says_how_pieces_are_written() -> None:
    tokenizer = TOKENIZERS["qwen"]()
    tokenizer.decoder = None
    own = as_codec(tokenizer)
    assert own.bytes_of(own.encode("é the\n")) == "é the\n".encode()


def test_every_replacement_of_a_decoder_counts() -> None:
    tokenizer = Tokenizer(models.BPE({"a_b": 0, "▁c": 1}, []))
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("_", "-"), decoders.Replace("▁", " "), decoders.Fuse()]
    )
    assert as_codec(tokenizer).bytes_of([0, 1]) == b"a-b c"


@pytest.mark.parametrize("text", ["a＜/s＞b", "</s>", "＜/s＞", "x</s></s>"])
def test_a_control_token_that_only_normalisation_spells_is_none(text: str) -> None:
    tokenizer = TOKENIZERS["unigram"]()
    tokenizer.normalizer = normalizers.NFKC()
    own = as_codec(tokenizer)
    assert own.control_ids.isdisjoint(own.encode(text))
    assert own.control_ids.isdisjoint(own.encode_prompt(text))
    assert own.bytes_of(own.encode(text)).count(b"/s>") == text.count("/s")
