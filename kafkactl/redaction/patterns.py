"""Text that no parser reads, such as a log's, without secrets. Pure.

A secret is known by the name before it, and hidden to the end of its line: it may hold blanks, commas, quotation marks,
and what looks like the next name. Where it ends earlier cannot be told, so that more is hidden rather than less.
"""

import re
from collections.abc import Callable

from kafkactl.redaction.secret_names import HIDDEN, is_secret_name

_QUOTED = r"(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')"
_NAME = r"[^\W\d][\w.\-]{0,200}"
_REST = r"(?:\\\r?\n|[^\n])*"  # of a line, with those that it is continued on

# "name": value, as in JSON that was cut off: there a string's end can be told, and a number's.
_ELEMENT = re.compile(
    rf"(?P<quote>[\"'])(?P<name>[^\"'\\\n]{{1,100}})(?P=quote)\s*(?:=>|[:=])\s*"
    rf"(?P<value>{_QUOTED}(?=\s*(?:[,}}\]]|$))|[\w.+\-]+(?=\s*(?:[,}}\]]|$)))"
)
# NAME=value, NAME: value; --name value; a line of properties, which may do without a sign; a sentence.
_ASSIGNED = re.compile(
    rf"(?P<lead>^[ \t#]*(?:-[ ]+)?)?(?<!\$\{{)(?<![\w.])(?:"
    rf"(?P<name>-{{0,3}}{_NAME})\\*[\"']?[^\S\n]*(?:=>|->|:=|[:：=])[^\S\n]*"
    rf"|(?<!-)(?P<option>--?{_NAME})(?:[\"']?,)?[^\S\n]+(?=\S)"
    rf"|(?<=^)[^\S\n]*(?P<property>{_NAME}[._]{_NAME})[^\S\n]+(?=\S)"
    rf"|(?P<prose>(?i:password|passphrase|passwd))\s+(?:is|was|to|(?:for|of)\s+[^\n:=]{{1,80}}?(?:[:=]|\b(?:is|to)\b))[^\S\n]+(?=\S))",
    re.MULTILINE,
)
_LONG_QUOTE = re.compile(r"\"{3}.{0,4000}?\"{3}|\"(?:[^\"\\]|\\.){0,4000}\"|'(?:[^'\\]|\\.){0,4000}'", re.DOTALL)
_LINE = re.compile(_REST)
_BLOCK = re.compile(r"(?:[|>][+\-\d]*)?[^\S\n]*(?:#.*)?")
_ALREADY = re.compile(rf"([\"']){re.escape(HIDDEN)}\1(?=\s*[,}}\]])")  # an element of JSON
_INDENTED = re.compile(r"\r?\n([ \t#]*)([^\n]*)")
_ONLY_A_VARIABLE = re.compile(r"\$\{[A-Za-z_]\w*\}")

# ${NAME:-default}: what is used where the variable is not set.
_DEFAULT = re.compile(r"\$\{(\w+):?[-=+]")
_IN_URL = re.compile(r"((?<=\w)://)(?:[^\s@:]{0,200}:\S{0,1000}|[^\s/?#@:\"'<>]{1,1000})@")
_PAIR = re.compile(
    rf"(?i:\b(?:name|key))[\"']?\s*[:=]\s*[\"']?(?P<name>{_NAME})[\"']?[\s,;\"'/\\#\-]{{0,80}}"
    r"(?P<value>(?i:\bvalue)[\"']?\s*[:=]\s*)[^\n]*"
)
_XML = re.compile(rf"(<(?P<name>{_NAME})(?:\s[^<>]*)?>)[^<\n]+")
_JAAS = re.compile(
    r"(LoginModule\s+(?:required|requisite|sufficient|optional))\b"
    rf"(?:(?:{_QUOTED}|[^;\"']){{0,4000}};{_REST}|{_REST}(?:\n\s*\w+\s*=[^\n]*)*)",
    re.IGNORECASE | re.DOTALL,
)
_JAAS_USER = re.compile(
    rf"((?<![\w.])user_(?!(?:agent|ids?|names?|groups?|types?|count|emails?)\b)[\w.\-]+\s*=\s*){_REST}"
)
_BEARER = re.compile(r"\b(bearer\s+)(?![a-z]+\b)\S{6,}", re.IGNORECASE)
_PEM = re.compile(
    r"-----BEGIN [^-]*(?:PRIVATE KEY(?: BLOCK)?|CERTIFICATE)-----.*?(?:-----END [^-]*-----|\Z)", re.DOTALL
)
_PEM_END = re.compile(r"-----END [^-\n]*PRIVATE KEY")
_BASE64 = re.compile(r"[ \t]*[A-Za-z0-9+/=]+[ \t]*\r?\n")
# Options whose name does not tell that the next word is a secret, by program.
_PROGRAMS = {
    "redis-cli": "a",
    "(?:mysql|mariadb)(?:-?admin|-?dump)?": "p",
    "mongo(?:sh|dump|restore|export|import)?": "p",
    "sshpass": "p",
    "ldapsearch": "w",
}
_LETTERS = [
    re.compile(rf"(\b{program}\b[^\n|;&]{{0,500}}?\s-{letter}[^\S\n]*)(?=\S){_REST}")
    for program, letter in _PROGRAMS.items()
]
# A user with a password, as curl takes them; 1000:1000 is a user and a group.
_USER_OPTION = r"-[uU]|--(?:proxy-)?user"
_USER = re.compile(rf"((?<!\S)(?:{_USER_OPTION})(?:\s+|=))(?!\d+:\d+\b)(?:{_QUOTED}|[^\s:]+:{_REST})")


def without_secrets(text: str) -> str:
    """A text without passwords, tokens, keys and users in URLs, as far as names or format reveal them."""
    if not text.strip():
        return text
    text = _without_ends(_PEM.sub(HIDDEN, text))
    text = _JAAS.sub(rf"\1 {HIDDEN}", text)
    text = _JAAS_USER.sub(rf"\1{HIDDEN}", text)
    text = _IN_URL.sub(rf"\1{HIDDEN}@", text)
    text = _without_defaults(text)
    for pattern in _LETTERS:
        text = pattern.sub(rf"\1{HIDDEN}", text)
    text = _USER.sub(lambda m: f"{m[1]}{HIDDEN}" if ":" in m[0] else m[0], text)
    text = _PAIR.sub(_if_secret(lambda m: m[0][: m.start("value") - m.start()] + m["value"] + HIDDEN), text)
    text = _XML.sub(_if_secret(lambda m: m[1] + HIDDEN), text)
    text = _ELEMENT.sub(_if_secret(_element), text)
    text = _without_assigned(text)
    return _BEARER.sub(rf"\1{HIDDEN}", text)


def secret_letter(program: str) -> str:
    """The letter of this program's option for a password; "" where it has none, or a name that tells."""
    name = program.rpartition("/")[2]
    return next((letter for pattern, letter in _PROGRAMS.items() if re.fullmatch(pattern, name)), "")


def is_user_with_password(option: str, value: str) -> bool:
    """Whether an option's value is that: curl -u admin:…"""
    return bool(re.fullmatch(_USER_OPTION, option) and ":" in value and not re.fullmatch(r"\d+:\d+", value))


def is_no_secret(value: str) -> bool:
    """Whether what stands where a secret would is none: nothing, a variable's name, or a secret already hidden."""
    bare = value.strip().rstrip(",;").strip("\"'")
    return bare in ("", "null", "None", "true", "false", HIDDEN) or bool(
        not bare.strip("*") or _ONLY_A_VARIABLE.fullmatch(bare)
    )


def _if_secret(hidden: Callable[[re.Match[str]], str]) -> Callable[[re.Match[str]], str]:
    return lambda match: hidden(match) if is_secret_name(match["name"]) else match[0]


def _element(match: re.Match[str]) -> str:
    if is_no_secret(match["value"]):
        return match[0]
    quote = match["value"][0] if match["value"][0] in "\"'" else '"'
    return f"{match[0][: match.start('value') - match.start()]}{quote}{HIDDEN}{quote}"


def _without_ends(text: str) -> str:
    """A text without the ends of keys, which have lost their beginning: a log's last lines may start anywhere."""
    while end := _PEM_END.search(text):
        start = text.rfind("\n", 0, end.start()) + 1
        while start and _BASE64.fullmatch(text, before := text.rfind("\n", 0, start - 1) + 1, start):
            start = before
        text = f"{text[:start]}{HIDDEN}{text[end.end() :].lstrip('-')}"
    return text


def _without_defaults(text: str) -> str:
    parts, at = [], 0
    while match := _DEFAULT.search(text, at):
        parts.append(text[at : match.end()])
        at = match.end()
        if is_secret_name(match[1]):
            parts.append(HIDDEN)
            at = _closing(text, at)
    return "".join(parts) + text[at:]


def _closing(text: str, at: int) -> int:
    """Where the brace is that closes a default; the end of its line where none does."""
    depth = 0
    for place in range(at, len(text)):
        if text[place] == "\n":
            return place
        depth += text.startswith("${", place) - (text[place] == "}")
        if depth < 0:
            return place
    return len(text)


def _without_assigned(text: str) -> str:
    """The values of secrets' names hidden. Of another name only the name is passed: its value may be NAME=value."""
    parts, at = [], 0
    while match := _ASSIGNED.search(text, at):
        start = match.end()
        parts.append(text[at:start])
        at = start
        name = match["name"] or match["option"] or match["property"] or match["prose"]
        if not is_secret_name(name):
            # An option's value may be an option, and the value of a name begin with a name.
            continue
        at = _end(text, start, match)
        shown = text[start:at]
        if not is_no_secret(shown):
            shown = f'"{HIDDEN}"' if shown[:1] == '"' and shown.rstrip()[-1:] == '"' and len(shown) > 1 else HIDDEN
        parts.append(shown)
    return "".join(parts) + text[at:]


def _end(text: str, start: int, match: re.Match[str]) -> int:
    """Where the value that begins at `start` ends: with its line, its closing quotation mark, or its block."""
    quoted = _LONG_QUOTE.match(text, start)
    rest = _LINE.match(text, quoted.end() if quoted else start)
    end = rest.end() if rest else start
    if hidden := _ALREADY.match(text, start):
        return hidden.end()
    if not _BLOCK.fullmatch(text[start:end].rstrip("\r")):
        return end
    before = text[text.rfind("\n", 0, match.start("name") if match["name"] else match.start()) + 1 : start]
    depth = len(before) - len(before.lstrip(" \t#"))
    while (line := _INDENTED.match(text, end)) and (len(line[1]) > depth or not line[2].strip()):
        end = line.end()
    return end
