"""TokenCodec: any tokenizer, seen as what encodes text to ids and gives each id its bytes.

Decoded text is not enough to say which token wrote which character: decoders join, strip and
replace. Bytes are: those of a sequence of tokens are the bytes of its tokens, one after another.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from react_envs.errors import ArgumentError

__all__ = ["ByteTokenizer", "TokenCodec", "as_codec", "common_prefix"]

_PRINTABLE = [*range(33, 127), *range(161, 173), *range(174, 256)]
_OTHERS = sorted(set(range(256)) - set(_PRINTABLE))
_BYTE_LEVEL = {chr(byte): byte for byte in _PRINTABLE} | {
    chr(256 + n): byte for n, byte in enumerate(_OTHERS)
}
"""GPT-2's alphabet: printable bytes stand for themselves, the others for U+0100 and on."""


_OBSCURE = "\U0010fffd"


class TokenCodec:
    """What recording needs of a tokenizer. `as_codec` makes one of any tokenizer.

    Args:
        encode: ids of a text, nothing added, special tokens in it encoded as the ordinary text
            that they are.
        token_bytes: bytes that an id writes; the literal text of a special token.
        special_ids: ids of special tokens. They have no text of their own.
        bos_ids: what the tokenizer puts before a whole text: its BOS, or nothing.
        eos_id: the end-of-text token, None if there is none.
        source: the tokenizer itself, for chat templates.
    """

    def __init__(
        self,
        encode: Callable[[str], Sequence[int]],
        token_bytes: Callable[[int], bytes],
        special_ids: Iterable[int] = (),
        bos_ids: Sequence[int] = (),
        eos_id: int | None = None,
        source: Any = None,
    ) -> None:
        self._encode = encode
        self._literal = _Cache(token_bytes)
        self.special_ids = frozenset(special_ids)
        self.bos_ids = list(bos_ids)
        self.eos_id = eos_id
        self.source = source
        # an obscure character becomes the unknown token, if there is one: special, but no control
        unknown = self.special_ids.intersection(self._try(_OBSCURE))
        self.control_ids = self.special_ids - unknown
        special = self.special_ids
        self._text = _Cache(lambda index: b"" if index in special else self._literal[index])
        # SentencePiece and others put a space before every text: let one follow an anchor
        self._anchors: list[tuple[str, list[int]]] = []
        if self.bytes_of(self._try("a")) not in (b"a", b""):
            self._anchors = [(text, list(self._encode(text))) for text in ("\n", "a", ".")]

    def _try(self, text: str) -> Sequence[int]:
        """Ids of a text that a small vocabulary may lack, which is no fault: then none."""
        try:
            return self._encode(text)
        except Exception:  # however a tokenizer says that it lacks a character
            return ()

    def encode(self, text: str) -> list[int]:
        """Ids of `text` as it follows other text: no BOS, no dummy space before it.

        Special tokens that are spelt out in it become ordinary text. Lone surrogates, which
        no tokenizer takes, become question marks.
        """
        return self._without_controls(text, self._encode_after) if text else []

    def encode_prompt(self, text: str) -> list[int]:
        """Ids of a whole text as the model reads it: its BOS, a dummy space if it has one."""
        return [*self.bos_ids, *(self._without_controls(text, self._encode) if text else [])]

    def _encode_after(self, text: str) -> list[int]:
        for anchor, head in self._anchors:
            ids = self._encode(anchor + text)
            if list(ids[: len(head)]) == head:
                return list(ids[len(head) :])
        return list(self._encode(text))

    def _without_controls(self, text: str, encode: Callable[[str], Sequence[int]]) -> list[int]:
        """Ids of `text`, which is cut inside whatever spells a control token.

        A Unigram model has its special tokens in its vocabulary, and finds them in any text,
        some of them only after it has normalised it.
        """
        text = text.encode("utf-8", "replace").decode()
        ids = list(encode(text))
        found = self.control_ids.intersection(ids)
        if not found:
            return ids
        names = sorted((self._literal[index].decode() for index in found), key=len, reverse=True)
        spelt = re.compile("|".join(map(re.escape, names)))
        cuts = [match.start() + 1 for match in spelt.finditer(text)]
        if not cuts or cuts[-1] == len(text):  # normalised into one, or one character long
            return self._one_by_one(text)
        head = self._without_controls(text[: cuts[0]], encode)
        pieces = (text[a:b] for a, b in zip(cuts, [*cuts[1:], len(text)], strict=True))
        return head + [index for piece in pieces for index in self.encode(piece)]

    def _one_by_one(self, text: str) -> list[int]:
        """Ids of each character; a question mark for one that is a control token by itself."""
        ids: list[int] = []
        for character in text:
            own = self._encode_after(character)
            is_text = self.control_ids.isdisjoint(own)
            ids += own if is_text else self._encode_after("?")
        return ids

    def __deepcopy__(self, memo: Any) -> TokenCodec:
        return self  # nothing in it changes, and copies of environments share it

    def __reduce__(self) -> tuple[Any, ...]:
        if self.source is None:
            raise TypeError("a codec made by hand cannot be pickled: it has no tokenizer")
        return as_codec, (self.source,)

    def bytes_of(self, ids: Iterable[int]) -> bytes:
        """Text that the ids write, as bytes; special tokens write nothing.

        Raises:
            LookupError: for an id that no token has.
        """
        return b"".join(map(self._text.__getitem__, ids))

    def readable(self, ids: Iterable[int]) -> str:
        """Text of ids that a model may have sampled: an id that no token has writes nothing."""
        known = []
        for index in ids:
            try:
                known.append(self._text[index])
            except LookupError:  # a row of the embedding beyond the vocabulary
                continue
        return b"".join(known).decode("utf-8", "replace")

    def literal_bytes_of(self, ids: Iterable[int]) -> bytes:
        """The same with special tokens spelt out."""
        return b"".join(map(self._literal.__getitem__, ids))

    def pieces(self, ids: Iterable[int], literal: bool = False) -> list[bytes]:
        """The bytes of each id."""
        table = self._literal if literal else self._text
        return [table[index] for index in ids]


class _Cache(dict[int, bytes]):
    """Bytes by id, looked up once."""

    def __init__(self, make: Callable[[int], bytes]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, index: int) -> bytes:
        value = self[index] = self._make(index)
        return value


def common_prefix(first: Sequence[int], second: Sequence[int]) -> int:
    """Length of the common beginning of two sequences of ids.

    >>> common_prefix([1, 2, 3], [1, 2, 4])
    2
    """
    for at, (a, b) in enumerate(zip(first, second, strict=False)):
        if a != b:
            return at
    return min(len(first), len(second))


class ByteTokenizer:
    """A token for each byte, and two special ones: 256 begins a text and 257 ends a turn.

    For tests, and for models small enough to read bytes.

    >>> ByteTokenizer().encode("hé")
    [104, 195, 169]
    """

    bos_id = 256
    eos_id = 257
    special_ids = frozenset({256, 257})

    def encode(self, text: str) -> list[int]:
        """The UTF-8 bytes of `text`."""
        return list(text.encode("utf-8", "replace"))

    def token_bytes(self, index: int) -> bytes:
        """The byte that `index` is, or the name of a special token."""
        return {256: b"<bos>", 257: b"<eos>"}[index] if index > 255 else bytes([index])


def as_codec(tokenizer: Any) -> TokenCodec:
    """The codec of a tokenizer; a codec is returned as it is, so that many may share one.

    Taken are: `transformers` tokenizers, `tokenizers.Tokenizer`, those of `mistral_common`, a
    `sentencepiece` processor, a `tiktoken` encoding, and any object with `encode(text) -> ids` and
    `token_bytes(id) -> bytes` (optional: `special_ids`, `bos_id`, `eos_id`).

    Not covered: tokenizers whose tokens have no bytes of their own (WordPiece, word-level
    vocabularies without spaces in them).

    Raises:
        ArgumentError: for anything else.
    """
    if isinstance(tokenizer, TokenCodec):
        return tokenizer
    module = type(tokenizer).__module__.partition(".")[0]
    if callable(getattr(tokenizer, "token_bytes", None)):
        return _of_protocol(tokenizer)
    if module == "mistral_common" or _wraps_mistral(tokenizer):
        return _of_mistral(tokenizer)
    if module == "tokenizers":
        return _of_backend(tokenizer, tokenizer, None)
    if hasattr(tokenizer, "backend_tokenizer"):
        return _of_fast(tokenizer)
    if hasattr(tokenizer, "convert_ids_to_tokens"):
        return _of_slow(tokenizer)
    if hasattr(tokenizer, "id_to_piece"):
        return _of_sentencepiece(tokenizer, tokenizer)
    if hasattr(tokenizer, "decode_single_token_bytes"):
        return _of_tiktoken(tokenizer)
    raise ArgumentError(
        "expected a tokenizer of transformers, tokenizers, mistral_common, sentencepiece or "
        "tiktoken, or an object with encode(text) and token_bytes(id), "
        f"got {type(tokenizer).__name__}"
    )


def _of_protocol(tokenizer: Any) -> TokenCodec:
    bos = getattr(tokenizer, "bos_id", None)
    return TokenCodec(
        tokenizer.encode,
        tokenizer.token_bytes,
        getattr(tokenizer, "special_ids", ()),
        [] if bos is None else [bos],
        getattr(tokenizer, "eos_id", None),
        tokenizer,
    )


def _of_fast(tokenizer: Any) -> TokenCodec:
    special = frozenset(tokenizer.all_special_ids)
    return _of_backend(tokenizer.backend_tokenizer, tokenizer, tokenizer.eos_token_id, special)


def _of_backend(
    backend: Any, source: Any, eos_id: int | None, special: frozenset[int] = frozenset()
) -> TokenCodec:
    """A codec over Hugging Face's Rust tokenizer, on a copy of it with settings of its own."""
    backend = copy.deepcopy(backend)
    backend.no_truncation()
    backend.no_padding()
    backend.encode_special_tokens = True
    added = backend.get_added_tokens_decoder()
    # without a decoder, the pre-tokenizer says how the pieces are written
    how = backend.decoder if backend.decoder is not None else backend.pre_tokenizer
    state = json.loads(how.__getstate__()) if how is not None else {}
    of_piece = _piece_decoder(list(_steps(state)))

    def token_bytes(index: int) -> bytes:
        if index in added:
            return str(added[index].content).encode()
        piece = backend.id_to_token(index)
        if piece is None:
            raise LookupError(f"no token has the id {index}")
        return of_piece(piece)

    whole, bare = backend.encode("a").ids, backend.encode("a", add_special_tokens=False).ids
    return TokenCodec(
        lambda text: backend.encode(text, add_special_tokens=False).ids,
        token_bytes,
        special | {index for index, token in added.items() if token.special},
        whole[: _find(whole, bare)],
        eos_id,
        source,
    )


def _find(whole: list[int], part: list[int]) -> int:
    """Where `part` begins in `whole`; 0 if it does not lie in it."""
    starts = range(len(whole) - len(part) + 1)
    return next((n for n in starts if whole[n : n + len(part)] == part), 0)


def _steps(state: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """The steps of a decoder (or pre-tokenizer), sequences of them opened up."""
    if state.get("type") == "Sequence":
        for inner in state.get("decoders", state.get("pretokenizers", ())):
            yield from _steps(inner)
    elif state:
        yield state


def _piece_decoder(steps: list[dict[str, Any]]) -> Callable[[str], bytes]:
    """How a piece of the vocabulary becomes bytes, by the decoder's steps."""
    kinds = {step["type"]: step for step in steps}
    if "ByteLevel" in kinds:
        return lambda piece: bytes(map(_BYTE_LEVEL.__getitem__, piece))
    if "Metaspace" in kinds:
        return lambda piece: _of_metaspace(piece, kinds["Metaspace"].get("replacement", "▁"))
    if "ByteFallback" in kinds or "Replace" in kinds:
        replaced = [
            (step["pattern"]["String"], step["content"])
            for step in steps
            if step["type"] == "Replace" and "String" in step["pattern"]
        ]
        return lambda piece: _of_metaspace(_replace(piece, replaced))
    if "BPEDecoder" in kinds:
        suffix = kinds["BPEDecoder"]["suffix"]
        return lambda piece: piece.replace(suffix, " ").encode()
    if set(kinds) <= {"Fuse"} and "Fuse" in kinds:
        return str.encode
    raise ArgumentError(
        f"the tokens of a tokenizer with the decoder {[*kinds] or None} have no bytes of their "
        "own; pass an object with encode(text) and token_bytes(id) instead"
    )


def _replace(piece: str, pairs: list[tuple[str, str]]) -> str:
    for old, new in pairs:
        piece = piece.replace(old, new)
    return piece


def _of_metaspace(piece: str, space: str = "▁") -> bytes:
    if len(piece) == 6 and piece.startswith("<0x") and piece.endswith(">"):
        return bytes([int(piece[3:5], 16)])
    return piece.replace(space, " ").encode()


def _wraps_mistral(tokenizer: Any) -> bool:
    inner = type(getattr(tokenizer, "tokenizer", None)).__module__
    return inner.startswith("mistral_common.")


def _of_mistral(tokenizer: Any) -> TokenCodec:
    source = tokenizer
    if _wraps_mistral(tokenizer):  # transformers' MistralCommonBackend
        tokenizer = tokenizer.tokenizer
    instruct = getattr(tokenizer, "instruct_tokenizer", None)
    plain: Any = tokenizer if instruct is None else instruct.tokenizer
    if not hasattr(plain, "id_to_byte_piece"):
        return _of_sentencepiece(plain._model, source)
    special = frozenset(range(plain.num_special_tokens))

    def token_bytes(index: int) -> bytes:
        if index in special:
            return str(plain.id_to_piece(index)).encode()
        return bytes(plain.id_to_byte_piece(index))

    return TokenCodec(
        lambda text: plain.encode(text, bos=False, eos=False),
        token_bytes,
        special,
        [plain.bos_id],
        plain.eos_id,
        source,
    )


def _of_sentencepiece(model: Any, source: Any) -> TokenCodec:
    special = frozenset(i for i in range(model.vocab_size()) if model.IsControl(i))

    def token_bytes(index: int) -> bytes:
        piece = model.id_to_piece(index)
        return piece.encode() if index in special else _of_metaspace(piece)

    bos, eos = model.bos_id(), model.eos_id()
    return TokenCodec(
        model.encode,
        token_bytes,
        special,
        [bos] if bos >= 0 else [],
        eos if eos >= 0 else None,
        source,
    )


def _of_tiktoken(encoding: Any) -> TokenCodec:
    names = encoding.special_tokens_set
    return TokenCodec(
        encoding.encode_ordinary,
        encoding.decode_single_token_bytes,
        map(encoding.encode_single_token, names),
        eos_id=encoding.eot_token if "<|endoftext|>" in names else None,
        source=encoding,
    )


def _of_slow(tokenizer: Any) -> TokenCodec:
    """A codec over a tokenizer of transformers that is written in Python."""
    special = frozenset(tokenizer.all_special_ids)
    added = {index: str(token) for index, token in tokenizer.added_tokens_decoder.items()}

    def encode(text: str) -> list[int]:
        ids: list[int] = tokenizer.encode(
            text, add_special_tokens=False, split_special_tokens=True, verbose=False
        )
        return ids

    pieces = tokenizer.convert_ids_to_tokens(encode("é"))
    bytes_are_characters = "".join(pieces) == "Ã©"  # as ByT5 writes them

    def token_bytes(index: int) -> bytes:
        if index in added:
            return added[index].encode()
        piece: str = tokenizer.convert_ids_to_tokens(index)
        return piece.encode("latin-1") if bytes_are_characters else _of_metaspace(piece)

    bos = tokenizer.bos_token_id
    starts_with_bos = bos is not None and tokenizer.encode("a")[:1] == [bos]
    codec = TokenCodec(
        encode,
        token_bytes,
        special,
        [bos] if starts_with_bos else [],
        tokenizer.eos_token_id,
        tokenizer,
    )
    if codec.bytes_of(codec.encode("a b")) != b"a b":
        raise ArgumentError(
            f"the tokens of {type(tokenizer).__name__} cannot be seen as bytes; pass an object "
            "with encode(text) and token_bytes(id) instead"
        )
    return codec
