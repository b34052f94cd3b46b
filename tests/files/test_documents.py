"""Reading and writing documents."""

import os
import stat
from io import BytesIO
from pathlib import Path
from typing import Any

import attrs
import pytest

from phasegate.core.errors import InvalidModel, PhasegateError
from phasegate.files import documents
from phasegate.files.documents import (
    InvalidFile,
    blamed_on,
    kind_of,
    lines_of,
    parse_as,
    parse_document,
    read_as,
    read_bytes,
    read_document,
    write_atomically,
)


@attrs.frozen
class Small:
    """A document class."""

    size: int = 0


def refused(data: bytes, name: str = "f.json", **options: Any) -> str:
    """Return the text of the refusal of a document."""
    with pytest.raises(InvalidFile) as caught:
        parse_document(data, name, **options)
    return str(caught.value)


def test_an_error_is_one_short_line() -> None:
    """Line breaks are shown as `?`, long input is cut, wherever it stands."""
    error = InvalidFile(f"bad `{'x' * 500}` and\n{'y' * 900}", "f.json", "z" * 900)
    text = str(error)
    assert ("`" + "x" * 60 + "...`" in text, "\n" in text, len(text) < 1300) == (True, False, True)
    assert isinstance(error, PhasegateError)


def test_an_error_without_a_place_names_the_file() -> None:
    """The file stands alone in the parentheses."""
    assert str(InvalidFile("is empty", "f.json")) == "is empty (f.json)"


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("a.json", "a: 1", "json"),
        ("a.YAML", "{}", "yaml"),
        ("a.yml", "{}", "yaml"),
        ("a.ndjson", "{}", "ndjson"),
        ("a.jsonl", "{}", "ndjson"),
        ("-", "a: 1", "yaml"),
        ("-", " {\n}", "json"),
        ("-", "// note\n{}", "json"),
        ("-", "/* note */ {}", "json"),
        ("-", "[1]\n", "json"),
        ("-", "{}\n{}", "ndjson"),
        ("-", "[" * 200_000 + "\n1", "json"),
    ],
)
def test_the_kind_follows_the_name_or_else_the_text(name: str, text: str, kind: str) -> None:
    """A known ending decides; a pipe has none."""
    assert kind == kind_of(name, text)


def test_each_kind_is_parsed() -> None:
    """JSON, YAML and NDJSON give plain data."""
    assert [
        parse_document(b'{"a": 1}', "f.json"),
        parse_document(b"a: 1", "f.yaml"),
        parse_document(b'{"a": 1}\n\n[2]\n', "f.ndjson"),
    ] == [{"a": 1}, {"a": 1}, [{"a": 1}, [2]]]


def test_what_stands_between_two_quotes_is_not_cut_short() -> None:
    """Only what the file holds is, which stands in quotes."""
    what = f"`a` {'says a lot ' * 10}of `{'b' * 61}`"
    assert f"{what[:-2]}...` (f.json)" == str(InvalidFile(what, "f.json"))


def test_a_byte_order_mark_is_passed_over() -> None:
    """Some tools write one before UTF-8."""
    assert parse_document(b"\xef\xbb\xbf{}", "f.json") == {}


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "is empty (f.json)"),
        (b" \n", "is empty (f.json)"),
        (b"{", "no JSON: the text ends too early (f.json: line 1, column 2)"),
        (b'{"a": "b', "no JSON: the text ends too early (f.json: line 1, column 7)"),
        (b'{"a": 1,\n "b" 2}', "no JSON: expecting ':' delimiter (f.json: line 2, column 6)"),
        (b'{"a": NaN}', "no JSON: `NaN` is no number (f.json)"),
        (b"[" + b"9" * 5000 + b"]", "a number has too many digits (f.json)"),
        (b"[" * 200_000, "nested too deeply (f.json)"),
        (b'{"a": "\\ud800"}', "text holds half of a surrogate pair (f.json)"),
        (b'{"a": [{"b": 1, "b": 2}]}', "key `b` is there twice (f.json: a[0])"),
        (b'{"a": {"b": 1, "b": 2}, "a": 3}', "key `a` is there twice (f.json)"),
        (b'{"\xe9": 1}', "byte 0xe9 is not UTF-8 (f.json: byte 2)"),
        (b"\xff\xfe{\x00", "text is UTF-16 or UTF-32; save it as UTF-8 (f.json: byte 0)"),
        ("{}".encode("utf-16-le"), "text is UTF-16 or UTF-32; save it as UTF-8 (f.json: byte 0)"),
        ("{}".encode("utf-32-be"), "text is UTF-16 or UTF-32; save it as UTF-8 (f.json: byte 0)"),
        (b"\0\0\0\0", "no JSON: expecting value (f.json: line 1, column 1)"),
    ],
)
def test_faulty_json_is_refused(data: bytes, text: str) -> None:
    """Each fault is one line that names its place."""
    assert text == refused(data)


def test_a_whole_surrogate_pair_is_text() -> None:
    """Two halves make a character."""
    assert parse_document(b'["\\ud83d\\ude00"]', "f.json") == ["\U0001f600"]


def test_faults_of_lines_name_the_line() -> None:
    """NDJSON faults carry the number of their line."""
    assert refused(b'{}\n{"a": 1, "a": 2}', "f.ndjson") == "key `a` is there twice (f.ndjson: line 2)"
    assert refused(b'{}\n\n{"a"}', "f.ndjson") == "no JSON: expecting ':' delimiter (f.ndjson: line 3, column 5)"
    assert refused(b'{}\n{"a": [{"b": 1, "b": 2}]}', "f.ndjson") == "key `b` is there twice (f.ndjson: line 2: a[0])"


def test_yaml_faults_name_the_file() -> None:
    """The YAML reader's own errors become the file's."""
    assert refused(b"a: 1\na: 2", "f.yaml") == "key `a` is there twice (f.yaml: line 2, column 1)"


def test_ten_megabytes_of_garbage_give_one_line() -> None:
    """Neither kind prints what it could not read."""
    for name in ("f.json", "f.yaml", "-"):
        assert len(refused(b"\xc3\xa9@`" * 2_600_000, name)) < 200


def test_comments_are_passed_over_where_they_may_be() -> None:
    """A comment leaves lines and columns as they are; what looks like one in a string is text."""
    text = b'{// note\n"a": "http://x", /* one\n two */ "b": 1}'
    assert parse_document(text, "f.json", comments=True) == {"a": "http://x", "b": 1}
    assert refused(b'{/* x\n*/ "a" 1}', comments=True) == "no JSON: expecting ':' delimiter (f.json: line 2, column 8)"
    assert refused(text) == "no JSON: expecting property name enclosed in double quotes (f.json: line 1, column 2)"


def test_a_document_is_read_by_its_format(tmp_path: Path) -> None:
    """`read_as` gives the class, `read_document` the plain data."""
    path = tmp_path / "small.yaml"
    path.write_text("format: small/1\nsize: 3\n", encoding="utf-8")
    assert Small(3) == read_as(Small, path, "small/1")
    assert read_document(path) == {"format": "small/1", "size": 3}


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"[]", "expected an object, got a list (f.json)"),
        (b"{}", "`format` is missing; this one is `small/1` (f.json)"),
        (b'{"format": "large/1"}', "format `large/1` is not `small/1` (f.json: format)"),
        (b'{"format": [1]}', "format `[1]` is not `small/1` (f.json: format)"),
        (b'{"format": "small/1", "siez": 1}', "unknown key `siez`; did you mean `size`? (f.json)"),
    ],
)
def test_another_document_is_refused(data: bytes, text: str) -> None:
    """The format is checked before anything else."""
    with pytest.raises(InvalidFile) as caught:
        parse_as(Small, data, "f.json", "small/1")
    assert text == str(caught.value)


def test_blame_is_put_on_the_file() -> None:
    """A model's error gets its file, its prefix, and no cause that would be printed."""
    with pytest.raises(InvalidFile, match=r"bad \(f: line 3: a\)"), blamed_on("f", line=3):
        raise InvalidModel("bad", "a")
    with pytest.raises(InvalidFile, match=r"nested too deeply \(f\)"), blamed_on("f"):
        raise RecursionError


def test_a_file_that_cannot_be_read_is_an_error_of_the_file(tmp_path: Path) -> None:
    """Missing files, folders and impossible names are refused alike."""
    for path, what in (
        (tmp_path / "none", "cannot be read: no such file or directory"),
        (tmp_path, "cannot be read: is a directory"),
        ("a\0b", "cannot be read: embedded null byte"),
    ):
        with pytest.raises(InvalidFile) as caught:
            read_bytes(path)
        assert what == caught.value.what


def test_what_has_no_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the bound, by its name; a file of NDJSON is not bounded, one without an end is."""
    monkeypatch.setattr(documents, "DOCUMENT_BYTES_MAX", 10)
    what = "holds more than 1 GiB; what is so large goes into a file of NDJSON (`.ndjson`) or Parquet"
    for name, size in (("a.json", 11), ("b", 11), ("c.yaml", 11), ("d.json", 10), ("e.ndjson", 11)):
        path = tmp_path / name
        path.write_bytes(bytes(size))
        if size == 10 or name == "e.ndjson":
            assert read_bytes(path) == bytes(size)
        else:
            with pytest.raises(InvalidFile) as caught:
                read_bytes(path)
            assert str(caught.value) == f"{what} ({path})"
    (tmp_path / "endless.ndjson").symlink_to("/dev/zero")
    for endless in ("/dev/zero", str(tmp_path / "endless.ndjson")):
        with pytest.raises(InvalidFile) as caught:
            read_bytes(endless)
        assert str(caught.value) == f"{what} ({endless})"


def test_a_line_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lines before it are read; any number of them."""
    monkeypatch.setattr(documents, "DOCUMENT_BYTES_MAX", 4)
    assert list(lines_of(BytesIO(b"ab\ncde\n\nfgh"), "log")) == [b"ab\n", b"cde\n", b"\n", b"fgh"]
    found = []
    with pytest.raises(InvalidFile) as caught:
        found.extend(lines_of(BytesIO(b"ab\ncdefg\n"), "log"))
    assert (str(caught.value), found) == ("holds more than 1 GiB in one line (log: line 2)", [b"ab\n"])


def test_writing_replaces_the_file_as_a_whole(tmp_path: Path) -> None:
    """Bytes and text are written, nothing is left beside the file, and the umask decides who may read it."""
    path = tmp_path / "out.txt"
    path.write_text("old", encoding="utf-8")
    write_atomically(path, [b"a", "é"])
    umask = os.umask(0)
    os.umask(umask)
    mode = stat.S_IMODE(path.stat().st_mode)
    assert ("aé", ["out.txt"], 0o666 & ~umask) == (path.read_text("utf-8"), os.listdir(tmp_path), mode)


def test_a_failure_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    """Whatever the chunks raise passes through."""

    def chunks() -> Any:
        yield "new"
        raise ZeroDivisionError

    path = tmp_path / "out.txt"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(ZeroDivisionError):
        write_atomically(path, chunks())
    assert (path.read_text("utf-8"), os.listdir(tmp_path)) == ("old", ["out.txt"])


def test_a_link_is_followed(tmp_path: Path) -> None:
    """The file that a link names is replaced, not the link."""
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_atomically(tmp_path / "link", ["x"])
    assert ((tmp_path / "link").is_symlink(), (tmp_path / "real").read_text("utf-8")) == (True, "x")


def test_what_is_no_regular_file_is_written_to_as_it_is() -> None:
    """A device is not replaced."""
    write_atomically(os.devnull, ["x"])
    assert not Path(os.devnull).is_file()


def test_a_file_that_cannot_be_written_is_an_error_of_the_file(tmp_path: Path) -> None:
    """A missing folder and a folder are refused."""
    for path in (tmp_path / "none" / "out.txt", tmp_path):
        with pytest.raises(InvalidFile, match="cannot be written: "):
            write_atomically(path, ["x"])
