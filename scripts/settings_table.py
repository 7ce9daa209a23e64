"""The table of the SHOP_RECO keys in docs/settings.md, made of the docstrings in shop_reco/conf.py.

python scripts/settings_table.py            writes it
python scripts/settings_table.py --check    says whether it is out of date
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE, PAGE = ROOT / "shop_reco" / "conf.py", ROOT / "docs" / "settings.md"
BEGIN, END = "<!-- made by scripts/settings_table.py -->\n", "<!-- end of what is made -->\n"
COUNTED = re.compile(r"^(?:\w+ )??(?P<unit>[a-z]+s|share|weight)\b", re.IGNORECASE)
MEASURED = re.compile(r"\bin (?P<unit>seconds|minutes|hours|days|bytes|characters|MB)\b")


@dataclass(frozen=True, slots=True)
class Setting:
    name: str
    type: str
    default: str
    meaning: str

    @property
    def unit(self) -> str:
        """Of a number: what its meaning says that it is in, or counts first of all; empty if it says neither."""
        if not re.search(r"\b(int|float)\b", self.type) or self.type.startswith("Mapping"):
            return ""
        found = MEASURED.search(self.meaning) or COUNTED.search(self.meaning)
        return "" if found is None else found["unit"][:1].lower() + found["unit"][1:] if found["unit"] != "MB" else "MB"

    @property
    def line(self) -> str:
        cells = (f"`{self.name}`", f"`{self.type}`", f"`{self.default}`", self.unit, self.meaning)
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def settings() -> Iterator[Setting]:
    """Each key in the order of the source, read and not imported: no Django is needed."""
    tree = ast.parse(SOURCE.read_text())
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    (table,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "RecoSettings")
    for node, words in zip(table.body, table.body[1:], strict=False):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            if not (isinstance(words, ast.Expr) and isinstance(words.value, ast.Constant)):
                raise SystemExit(
                    f"{node.target.id} in {SOURCE} has no docstring below it: say what it means, and in what"
                )
            meaning = " ".join(str(words.value.value).split())
            yield Setting(node.target.id, ast.unparse(node.annotation), _default(node.value, functions), meaning)


def _default(value: ast.expr | None, functions: dict[str, ast.FunctionDef]) -> str:
    text = ast.unparse(value) if value is not None else ""
    if made := re.fullmatch(r"field\(default_factory=(\w+)\)", text):
        (returned,) = functions[made[1]].body if made[1] in functions else (ast.parse("{}").body[0],)
        return ast.unparse(returned).removeprefix("return ")
    if isinstance(value, ast.Call) and text.startswith("Path("):
        return str(ast.literal_eval(value.args[0]))
    if isinstance(value, ast.BinOp):
        return str(eval(text))
    return text


def page() -> str:
    """docs/settings.md with its table as the source has it; what is written by hand stays."""
    before, rest = PAGE.read_text().split(BEGIN)
    _, after = rest.split(END)
    head = "| key | type | default | unit | meaning |\n| --- | --- | --- | --- | --- |\n"
    return before + BEGIN + head + "".join(f"{each.line}\n" for each in settings()) + END + after


def main() -> None:
    text = page()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text)
    elif PAGE.read_text() != text:
        raise SystemExit("docs/settings.md is out of date; run python scripts/settings_table.py")


if __name__ == "__main__":
    main()
