"""“Did you mean …?” for the names a user types: topics, groups, keys, configs, environments."""

from collections.abc import Iterable

_CUTOFF = 0.7  # "paymnet.created" finds payment.created; "tmp" finds nothing
_SHORTEST_PREFIX = 3
_MANY = 500
_LONGEST = 300  # longer words get no suggestion


def closest(word: str, candidates: Iterable[str], cutoff: float = _CUTOFF) -> str | None:
    """The candidate that `word` is most likely a slip of, or None. Case, `-`, `_` and `.` count for little."""
    if len(word) > _LONGEST:
        return None
    known = {_folded(candidate): candidate for candidate in candidates}
    folded = _folded(word)
    if folded in known:
        return known[folded]
    if len(folded) >= _SHORTEST_PREFIX:
        # What was typed and not finished, when only one name begins so.
        longer = [name for name in known if name.startswith(folded)]
        if len(longer) == 1:
            return known[longer[0]]
    from difflib import get_close_matches

    near = get_close_matches(folded, _plausible(folded, known, cutoff), n=1, cutoff=cutoff)
    return known[near[0]] if near else None


def suggest(word: str, candidates: Iterable[str], *, quoted: bool = True) -> str:
    """` Did you mean "x"?` with its leading space, or nothing, to append to a message that ends in a full stop."""
    found = closest(word, candidates)
    if found is None:
        return ""
    return f' Did you mean "{found}"?' if quoted else f" Did you mean {found}?"


def _folded(name: str) -> str:
    return name.casefold().replace("-", ".").replace("_", ".")


def _plausible(word: str, names: Iterable[str], cutoff: float) -> list[str]:
    """Names worth the slow comparison: a long list is cut down by difflib's quick upper bound first."""
    names = list(names)
    if len(names) <= _MANY:
        return names
    from difflib import SequenceMatcher

    matcher = SequenceMatcher(b=word)
    kept = []
    for name in names:
        matcher.set_seq1(name)
        if matcher.real_quick_ratio() >= cutoff and matcher.quick_ratio() >= cutoff:
            kept.append(name)
    return kept
