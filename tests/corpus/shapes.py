"""What an app reads from the answers it gets, so that made-up answers fit.

Code nodes take answers apart (`json.loads(text)["items"][0]["url"]`), schemas and prompts describe
them. From that comes one sample object, with a member for everything that anybody looks for.
"""

import ast
import json
import re
import re._parser as PARSED

URL = "http://stand-in.example/picture.png"

# A list's element as a step of a path.
ITEM = 0

ITERATING = {"map", "filter", "forEach", "find", "some", "every", "flatMap"}
METHODS = ITERATING | {
    "length", "join", "slice", "trim", "split", "replace", "match", "includes", "push", "toString",
    "substring", "indexOf", "startsWith", "endsWith", "toLowerCase", "toUpperCase", "sort", "reduce",
}


def leaf(name):
    """A value for a member called `name`."""
    name = name.lower()
    if re.search(r"url|link|href|uri|image|picture", name):
        return URL
    if re.search(r"date|time|created|updated", name):
        return "2024-05-01"
    if "version" in name and re.search("target|new|next", name):
        return "1.32"
    if "version" in name:
        return "1.31"
    if re.search(r"count|num|size|score|price|total|index|page|^id$|_id$|width|height", name):
        return 3
    return "tea"


class PathReader(ast.NodeVisitor):
    """Collects the paths that code walks into what it was given."""

    def __init__(self, functions):
        """`functions` are those of the code itself: what they are given, they take out of a text."""
        self.transparent = {"enumerate", "sorted", "list", "reversed", "str", *functions}
        self.names = {}
        self.paths = set()
        self.constants = {}  # what the value at a path is compared with

    def path_of(self, node):
        """The path that an expression stands for, or None."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id)
        if isinstance(node, ast.BoolOp):
            return self.path_of(node.values[0])
        if isinstance(node, ast.Subscript):
            return self.step(node.value, getattr(node.slice, "value", None))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in ("loads", "json", "repair_json"):
                return ()
            if node.func.attr == "get" and node.args:
                path = self.step(node.func.value, getattr(node.args[0], "value", None))
                if path and len(node.args) > 1 and isinstance(node.args[1], ast.List):
                    self.paths.add(path + (ITEM,))
                return path
        is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args
        if is_call and node.func.id in self.transparent:
            return self.path_of(node.args[0])
        return None

    def step(self, node, key):
        path = self.path_of(node)
        if path is None or isinstance(key, bool) or not isinstance(key, (str, int)):
            return None
        path += (key if isinstance(key, str) else ITEM,)
        self.paths.add(path)
        return path

    def bind(self, target, path):
        if isinstance(target, ast.Tuple):
            target = target.elts[-1]
        if isinstance(target, ast.Name) and path is not None:
            self.names[target.id] = path

    def visit_FunctionDef(self, node):
        if node.name == "main":
            for argument in node.args.args:
                self.names[argument.arg] = ()
        self.generic_visit(node)

    def visit_Assign(self, node):
        self.visit(node.value)
        for target in node.targets:
            self.bind(target, self.path_of(node.value))

    def visit_loop(self, node):
        path = self.path_of(node.iter)
        if path:
            path += (ITEM,)
            self.paths.add(path)
        self.bind(node.target, path)
        self.generic_visit(node)

    visit_For = visit_comprehension = visit_loop

    def visit_ListComp(self, node):
        for generator in node.generators:
            self.visit(generator)
        self.generic_visit(node)

    visit_GeneratorExp = visit_SetComp = visit_DictComp = visit_ListComp

    def visit_Compare(self, node):
        if isinstance(node.ops[0], (ast.In, ast.NotIn)):
            self.step(node.comparators[0], getattr(node.left, "value", None))
        path = self.path_of(node.left)
        constant = getattr(node.comparators[0], "value", None)
        if path and isinstance(node.ops[0], ast.Eq) and isinstance(constant, (str, int)):
            self.constants.setdefault(path, constant)
        self.generic_visit(node)

    def visit_Subscript(self, node):
        self.path_of(node)
        self.generic_visit(node)

    def visit_Call(self, node):
        path = self.path_of(node)
        if isinstance(node.func, ast.Name) and node.func.id == "isinstance":
            path = self.path_of(node.args[0])
            if path and getattr(node.args[1], "id", "") == "list":
                self.paths.add(path + (ITEM,))
        self.generic_visit(node)


def python_paths(code):
    """Each path with what its value is compared with, or None."""
    try:
        tree = ast.parse(code)
        functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        reader = PathReader(functions)
        reader.visit(tree)
    except (SyntaxError, ValueError, RecursionError):
        return {}
    return {path: reader.constants.get(path) for path in reader.paths}


def javascript_paths(code):
    """The same for JavaScript, by the looks of it."""
    names = {name: () for name in re.findall(r"(\w+)\s*=\s*JSON\.parse", code)}
    if arguments := re.search(r"\bmain\s*\(\s*\{([^}]*)\}", code):
        names |= {name: () for name in re.findall(r"(\w+)\s*(?:=[^,]*)?(?:,|$)", arguments[1])}
    paths = {}
    seen = set()
    while names.keys() - seen:
        name = min(names.keys() - seen)
        seen.add(name)
        chains = rf"(?<![\w.]){name}((?:\??\.\w+|\[\d+\])*)(?:\s*\(\s*\(?\s*(\w+))?"
        for chain in re.finditer(chains, code):
            path, method = walk_javascript(names[name], chain[1])
            if path:
                paths[path] = None
            before = code[: chain.start()]
            if method in ITERATING and chain[2]:
                names.setdefault(chain[2], path + (ITEM,))
                paths[path + (ITEM,)] = None
            elif loop := re.search(r"\b(?:const|let|var)\s+(\w+)\s+of\s+$", before):
                names.setdefault(loop[1], path + (ITEM,))
                paths[path + (ITEM,)] = None
            elif not method and (given := re.search(r"\b(?:const|let|var)\s+(\w+)\s*=\s*$", before)):
                names.setdefault(given[1], path)
    return {path: constant for path, constant in paths.items() if path}


def walk_javascript(path, chain):
    """The path at the end of a chain of members, and the method that ends it, if one does."""
    for key, _ in re.findall(r"\.(\w+)|\[(\d+)\]", chain):
        if key in METHODS:
            return path, key
        path += (key if key else ITEM,)
    return path, ""


def build(paths, name=""):
    """A value in which every path can be walked."""
    heads = {path[0] for path in paths if path}
    if not heads:
        constant = paths.get(())
        return leaf(name) if constant is None else constant
    if heads == {ITEM}:
        item = build({path[1:]: constant for path, constant in paths.items() if path}, name)
        return [item, item]
    members = {}
    for key in sorted(key for key in heads if key != ITEM):
        below = {path[1:]: constant for path, constant in paths.items() if path and path[0] == key}
        members[key] = build(below, key)
    return members


def instance_of(schema, name=""):
    """A value that fits a JSON schema."""
    if not isinstance(schema, dict):
        return leaf(name)
    if schema.get("enum"):
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    for key in ("anyOf", "oneOf", "allOf"):
        if schema.get(key):
            return instance_of(schema[key][0], name)
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = kind[0]
    if kind == "object" or "properties" in schema:
        members = schema.get("properties") or {}
        return {key: instance_of(member, key) for key, member in members.items()}
    if kind == "array":
        return [instance_of(schema.get("items"), name)]
    if kind in ("number", "integer"):
        return max(3, schema.get("minimum") or 0)
    if kind == "boolean":
        return True
    value = str(leaf(name))
    return value.ljust(schema.get("minLength") or 0, ".")[: schema.get("maxLength")]


def example_in(text):
    """The last JSON that a prompt shows, or None."""
    decoder = json.JSONDecoder()
    found = None
    for match in re.finditer(r"[\[{]", text):
        try:
            value, _ = decoder.raw_decode(text, match.start())
        except ValueError:
            continue
        if value and not isinstance(value, (str, int)):
            found = value
    return found


def nodes_of(app):
    graph = ((app or {}).get("workflow") or {}).get("graph") or {}
    nodes = graph.get("nodes") or []
    data = [node.get("data") for node in nodes if isinstance(node, dict)]
    return [entry for entry in data if isinstance(entry, dict)]


def sample_for(app):
    """The object that all of the app's code nodes can read."""
    paths = {}
    for data in nodes_of(app):
        code = data.get("code")
        if data.get("type") == "code" and isinstance(code, str):
            is_python = data.get("code_language") == "python3"
            for path, constant in (python_paths if is_python else javascript_paths)(code).items():
                # Paths that begin with an element are about answers that are lists.
                path = path[1:] if path[0] == ITEM else path
                if path and paths.get(path) is None:
                    paths[path] = constant
    sample = build(paths)
    return sample if isinstance(sample, dict) else {"result": "tea", "items": ["tea"]}


def code_of(app, language="python3"):
    for data in nodes_of(app):
        if data.get("type") == "code" and data.get("code_language") == language:
            yield str(data.get("code"))


def parsed_code_of(app):
    for code in code_of(app):
        try:
            yield ast.parse(code)
        except (SyntaxError, ValueError, RecursionError):
            continue


def imported_modules(app):
    """The modules, also dotted ones, that the app's Python imports."""
    modules = set()
    for tree in parsed_code_of(app):
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                modules.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules.add(node.module)
    return sorted(modules)


def patterns_in(tree):
    """The regular expressions that code gives to `re`, directly or by a name."""
    constants = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            for target in node.targets:
                constants[getattr(target, "id", None)] = node.value.value
    for node in ast.walk(tree):
        function = getattr(node, "func", None)
        if not isinstance(function, ast.Attribute) or getattr(function.value, "id", "") != "re":
            continue
        if node.args:
            given = node.args[0]
            pattern = getattr(given, "value", None) or constants.get(getattr(given, "id", None))
            if isinstance(pattern, str):
                yield pattern


def pattern_samples(app):
    """A text for each regular expression of the app's code, in which it is found."""
    samples = []
    for tree in parsed_code_of(app):
        for pattern in patterns_in(tree):
            try:
                sample = sample_of_pattern(pattern)
                if re.search(pattern, sample, re.S) and sample not in samples:
                    samples.append(sample)
            except (re.error, ValueError, OverflowError):
                continue
    return samples


def sample_of_pattern(pattern):
    groups = {}

    def one_of(choices):
        kind, value = choices[0]
        if kind is PARSED.NEGATE:
            taken = {value for kind, value in choices[1:] if kind is PARSED.LITERAL}
            return next(letter for letter in "tea 3." if ord(letter) not in taken)
        if kind is PARSED.LITERAL:
            return chr(value)
        if kind is PARSED.RANGE:
            return next((each for each in "3t" if value[0] <= ord(each) <= value[1]), chr(value[0]))
        return {PARSED.CATEGORY_DIGIT: "3", PARSED.CATEGORY_SPACE: " "}.get(value, "t")

    def text_of(items):
        return "".join(piece(kind, value) for kind, value in items)

    def piece(kind, value):
        if kind is PARSED.LITERAL:
            return chr(value)
        if kind in (PARSED.ANY, PARSED.NOT_LITERAL):
            return "t" if value != ord("t") else "e"
        if kind is PARSED.IN:
            return one_of(value)
        if kind is PARSED.BRANCH:
            return text_of(value[1][0])
        if kind in (PARSED.MAX_REPEAT, PARSED.MIN_REPEAT):
            least, most, items = value
            return text_of(items) * min(max(least, 1), most)
        if kind is PARSED.SUBPATTERN:
            groups[value[0]] = text_of(value[-1])
            return groups[value[0]]
        return groups.get(value, "") if kind is PARSED.GROUPREF else ""

    return text_of(PARSED.parse(pattern))


def reads_files_of_tools(app):
    graph = ((app or {}).get("workflow") or {}).get("graph") or {}
    text = json.dumps(graph, default=str)
    tools = [
        str(node.get("id"))
        for node in graph.get("nodes") or []
        if isinstance(node, dict) and (node.get("data") or {}).get("type") == "tool"
    ]
    return any(f'"{tool}", "files"' in text or f"#{tool}.files#" in text for tool in tools)


def texts_in(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from texts_in(member)
    elif isinstance(value, list):
        for item in value:
            yield from texts_in(item)


def landmark(data):
    """A piece of a node's prompt that stands in no variable, to know its requests by."""
    pieces = []
    for text in texts_in(data.get("prompt_template") or []):
        pieces += re.split(r"\{\{.*?\}\}|\{%.*?%\}", text, flags=re.S)
    longest = max(pieces, key=len, default="").strip()
    return longest[:400] if len(longest) > 3 else ""


def example_for(app):
    """What the app's prompts show as an answer, if they show one."""
    for data in nodes_of(app):
        for text in texts_in(data.get("prompt_template") or []):
            found = example_in(text)
            if found is not None:
                return found
    return None


def schema_replies(app):
    """(piece of the prompt, fitting reply) of each node that wants an answer by a schema."""
    for data in nodes_of(app):
        output = data.get("structured_output")
        schema = output.get("schema") if isinstance(output, dict) else None
        if data.get("type") == "llm" and schema and landmark(data):
            yield landmark(data), instance_of(schema)
