"""What a user gives an app: values for its start form, files, answers to the forms on the way."""

import shapes
import world

DOCUMENTS = ("document.txt", world.DOCUMENT.encode())
PICTURE = ("picture.png", world.PNG)
SOUND = ("sound.mp3", b"ID3\x04\x00\x00\x00\x00\x00\x00")
FILM = ("film.mp4", b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom")

BY_TYPE = {"document": DOCUMENTS, "image": PICTURE, "audio": SOUND, "video": FILM}


def file_for(allowed, folder):
    """A file that a field takes, made in the folder: its path, or an address if none is taken."""
    methods = allowed.get("allowed_file_upload_methods") or ["local_file"]
    types = [str(name).lower() for name in allowed.get("allowed_file_types") or []]
    known = [BY_TYPE[name] for name in types if name in BY_TYPE]
    name, content = known[0] if known else DOCUMENTS if "custom" in types or not types else PICTURE
    extensions = allowed.get("allowed_file_extensions") or []
    if types and not known and extensions:
        name = "document." + str(extensions[0]).lstrip(".").lower()
    if "local_file" not in methods:
        return "http://stand-in.example/" + name
    (folder / name).write_bytes(content)
    return str(folder / name)


def text_for(field, style):
    name = str(field.get("variable")) + str(field.get("label"))
    made_up = shapes.leaf(name)
    text = style.text if made_up == "tea" else str(made_up)
    return text[: int(field.get("max_length") or 0) or None]


def value_for(field, folder, style):
    """What `-i key=` gets for a field of a form; none leaves it out."""
    kind = field.get("type")
    if kind == "select":
        return (field.get("options") or [None])[style.option]
    if kind == "number":
        return "3"
    if kind == "checkbox":
        return "true"
    if kind in ("json", "json_object", "json-object"):
        return "{}"
    if kind == "list":
        return "[]"
    if kind in ("file", "file-list"):
        path = file_for(field, folder)
        return path if path.startswith("http") else "@" + path
    return text_for(field, style)


def of_fields(fields, folder, style):
    arguments = []
    for field in fields:
        if style.is_sparse and not field.get("required"):
            continue
        value = value_for(field, folder, style)
        if value is not None:
            arguments += ["-i", f"{field['variable']}={value}"]
    return arguments


def of_start(described, folder, style):
    """The arguments of a run: inputs, and for chats the message and its files."""
    arguments = of_fields(described["form"], folder, style)
    if described["mode"] == "advanced-chat":
        arguments += ["--query", "Hello, what can you do?"]
    if described["uploads"] and not style.is_sparse:
        arguments += ["--file", file_for(described["uploads"], folder)]
    return arguments


def of_answer(form, folder, style):
    """The arguments that answer what a paused run asks a person."""
    fields = [
        {
            **field,
            "variable": field.get("output_variable_name"),
            "options": (field.get("option_source") or {}).get("value"),
            "required": True,
        }
        for field in form.get("inputs") or []
    ]
    arguments = ["--form", form["form_id"], "--action", form["actions"][0]["id"]]
    return arguments + of_fields(fields, folder, style)
