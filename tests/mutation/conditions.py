"""Finds every condition of a C++ file with clang, and writes a copy in which each can be switched."""

import re
from dataclasses import dataclass, field

from clang import cindex
from clang.cindex import CursorKind as Kind, TypeKind

COMPARISONS = {"==", "!=", "<", ">", "<=", ">=", "&&", "||"}
LOOPS = {Kind.WHILE_STMT, Kind.DO_STMT, Kind.FOR_STMT}


@dataclass
class Condition:
    file: str
    function: str
    line: int
    begin: int
    end: int
    text: str
    declares: str = ""  # `if (const auto* p = ...)`: the name that is asked.
    number: int = 0
    repeats: int = 0  # How many of the same text came before it in the function.
    modes: list = field(default_factory=lambda: ["true", "false", "not"])

    def key(self, mode):
        again = f" #{self.repeats + 1}" if self.repeats else ""
        return f"{self.file}: {self.function}: {self.text}{again}: {mode}"


def offsets(cursor):
    return cursor.extent.start.offset, cursor.extent.end.offset


def is_bool(cursor):
    return cursor.type.get_canonical().kind == TypeKind.BOOL


def operator_of(cursor, source):
    """The operator of a binary expression, which clang 14's bindings do not tell."""
    children = list(cursor.get_children())
    if len(children) != 2:
        return ""
    return re.sub(r"/[/*].*", "", source[children[0].extent.end.offset : children[1].extent.start.offset]).strip(" ()\n")


class Finder:
    def __init__(self, name, path, source):
        self.name, self.path, self.source = name, path, source
        self.found = {}
        self.discarded = set()

    def add(self, cursor, function, declares=""):
        begin, end = offsets(cursor)
        text = self.source[begin:end]
        if begin >= end or text in ("true", "false") or (begin, end) in self.found:
            return
        # What clang makes of a <=> has the extent of a part.
        if re.search(r"^[!=<>]=|^[<>]|[<>=!&|,(]$", text) or text.count("(") != text.count(")"):
            return
        self.found[(begin, end)] = Condition(
            self.name, function, cursor.extent.start.line, begin, end, " ".join(text.split())[:90], declares)

    def condition_of(self, cursor, function):
        """The condition of an if, a while, a for or a ?:, whatever its type."""
        children = list(cursor.get_children())
        if cursor.kind == Kind.CONDITIONAL_OPERATOR or cursor.kind in (Kind.WHILE_STMT,):
            self.add(children[0], function)
        elif cursor.kind == Kind.DO_STMT:
            self.add(children[1], function)
        elif cursor.kind == Kind.FOR_STMT:
            for child in children[:-1]:
                if child.kind.is_expression() and is_bool(child):
                    self.add(child, function)
        elif cursor.kind == Kind.IF_STMT:
            declared = children[0].kind == Kind.VAR_DECL  # if (const auto* p = ...)
            after_init = children[0].kind == Kind.DECL_STMT  # if (auto r = ...; !r)
            if declared:
                self.add(children[0], function, children[0].spelling)
            else:
                self.add(children[1 if after_init else 0], function)

    def visit(self, cursor, function="", within_not=False, above=""):
        if cursor.location.file and cursor.location.file.name != self.path:
            return
        kind = cursor.kind
        if kind in (Kind.CXX_METHOD, Kind.FUNCTION_DECL, Kind.CONSTRUCTOR, Kind.FUNCTION_TEMPLATE,
                    Kind.CONVERSION_FUNCTION):
            function = cursor.spelling
        if kind in (Kind.IF_STMT, Kind.CONDITIONAL_OPERATOR) or kind in LOOPS:
            head = self.source[cursor.extent.start.offset : cursor.extent.start.offset + 12]
            if not head.startswith("if constexpr"):
                self.condition_of(cursor, function)
        children = list(cursor.get_children())
        operator = operator_of(cursor, self.source) if kind == Kind.BINARY_OPERATOR else ""
        if operator in ("&&", "||"):
            for child in children:
                chained = child.kind == Kind.BINARY_OPERATOR and operator_of(child, self.source) == operator
                if not chained:  # Of `a && b && c` each side is tried, and the whole.
                    self.add(child, function)
        if kind == Kind.BINARY_OPERATOR and operator in COMPARISONS and not within_not and operator != above:
            self.add(cursor, function)
        if kind == Kind.CALL_EXPR and is_bool(cursor) and not within_not and offsets(cursor) not in self.discarded:
            self.add(cursor, function)
        if kind == Kind.UNARY_OPERATOR and is_bool(cursor) and not within_not:
            self.add(cursor, function)
        if kind == Kind.RETURN_STMT and children and is_bool(children[0]):
            self.add(children[0], function)
        if kind == Kind.VAR_DECL and is_bool(cursor) and children and children[-1].kind.is_expression():
            self.add(children[-1], function)
        if kind == Kind.BINARY_OPERATOR and operator == "=" and is_bool(cursor):
            self.add(children[1], function)
        if kind == Kind.IF_STMT and children[0].kind == Kind.VAR_DECL:
            del children[1]  # What is declared, asked: condition_of has it.
        negates = kind == Kind.UNARY_OPERATOR and is_bool(cursor)
        if kind == Kind.COMPOUND_STMT:
            # What a statement of its own answers is asked by nobody.
            self.discarded.update(offsets(c) for c in children if c.kind.is_expression())
        for child in children:
            unexposed = kind in (Kind.UNEXPOSED_EXPR, Kind.PAREN_EXPR) and within_not
            self.visit(child, function, (negates or unexposed) and operator not in ("&&", "||"),
                       operator if operator in ("&&", "||") else "")


def hands_on(condition, source):
    """`if (!x) return fail(...x.error()...)`: a failure that is handed on decides nothing."""
    name = re.match(r"^!\s*\*?([\w>.\[\]-]+)$", condition.text)
    if not name:
        return False
    rest = source[condition.end :]
    body = rest[: rest.find(";") + 1]
    return re.match(r"^\)\s*\{?\s*return\b", body) and (
        f"{name.group(1)}.error()" in body or re.search(rf"return {re.escape(name.group(1))};", body))


def find_conditions(name, path, arguments):
    index = cindex.Index.create()
    unit = index.parse(path, args=arguments)
    # Clang 14 does not know yet that a lambda may capture a structured binding.
    errors = [d for d in unit.diagnostics
              if d.severity >= cindex.Diagnostic.Error and "reference to local binding" not in d.spelling]
    if errors:
        raise SystemExit(f"clang cannot read {name}: {errors[0]}")
    with open(path, "rb") as file:
        source = file.read().decode("ascii", "replace")
    finder = Finder(name, path, source)
    finder.visit(unit.cursor)
    conditions = [c for c in sorted(finder.found.values(), key=lambda c: (c.begin, -c.end))
                  if not hands_on(c, source)]
    seen = {}
    for condition in conditions:
        key = (condition.function, condition.text)
        condition.repeats = seen.get(key, 0)
        seen[key] = condition.repeats + 1
    return source, conditions


def switched(source, conditions):
    """The source with every condition wrapped."""
    inserts = []
    for c in conditions:
        length = c.end - c.begin
        if c.declares:
            end = c.end
            text = f"; bailey_mutant({c.number}, static_cast<bool>({c.declares}))"
            inserts.append((end, 1, 0, text))
        else:
            inserts.append((c.begin, 2, -length, f"bailey_mutant({c.number}, static_cast<bool>("))
            inserts.append((c.end, 0, length, "))"))
    out, at = [], 0
    for position, _, _, text in sorted(inserts, key=lambda i: i[:3]):
        out.append(source[at:position])
        out.append(text)
        at = position
    out.append(source[at:])
    return "".join(out)
