"""Prints an answer with every field that botocore's model of a query API knows, once.

    python tests/python/full_answer.py ec2 DescribeInstances > src/aws/lean/answers/DescribeInstances.xml
"""

import sys
from xml.sax.saxutils import escape

import botocore.session
from botocore.model import Shape


def elements(name: str, shape: Shape, inside: tuple[str, ...]) -> str:
    """A member as XML; shapes that contain themselves end after one turn."""
    if inside.count(shape.name) > 1:
        return ""
    inside = (*inside, shape.name)
    if shape.type_name == "structure":
        members = shape.members.items()
        text = "".join(elements(of.serialization.get("name", member), of, inside) for member, of in members)
    elif shape.type_name == "list":
        item = elements(shape.member.serialization.get("name", "member"), shape.member, inside)
        if shape.serialization.get("flattened"):
            return item
        text = item
    else:
        text = escape(scalar(name, shape))
    return f"<{name}>{text}</{name}>\n"


def scalar(name: str, shape: Shape) -> str:
    match shape.type_name:
        case "string" if name.lower() == "version":
            return "7"
        case "string":
            return (getattr(shape, "enum", None) or [f"{name} & more"])[0]
        case "boolean":
            return "true"
        case "integer" | "long":
            return "7"
        case "double" | "float":
            return "1.5"
        case "timestamp":
            return "2026-11-26T12:00:00.000Z"
        case "blob":
            return "YmxvYg=="
    raise ValueError(shape.type_name)


def main(service: str, operation: str) -> None:
    model = botocore.session.get_session().get_service_model(service)
    output = model.operation_model(operation).output_shape
    text = "".join(elements(of.serialization.get("name", member), of, ()) for member, of in output.members.items())
    if wrapper := output.serialization.get("resultWrapper"):
        text = f"<{wrapper}>\n{text}</{wrapper}>\n"
    namespace = model.metadata.get("xmlNamespace") or f"http://ec2.amazonaws.com/doc/{model.api_version}/"
    print('<?xml version="1.0" encoding="UTF-8"?>')
    print(f'<{operation}Response xmlns="{namespace}">\n{text}</{operation}Response>')


if __name__ == "__main__":
    main(*sys.argv[1:])
