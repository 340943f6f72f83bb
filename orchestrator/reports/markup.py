"""HTML and SVG as elements, so that whatever is text is escaped by who writes it out, and nobody has to remember to."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree as ET

Node = ET.Element | str | None
"""A child of an element: another one, or text; None is nothing."""


def h(tag: str, *children: Node | Iterable[Node], **attributes: str | float | None) -> ET.Element:
    """An element: `h("td", "12", class_="number")`.

    A trailing underscore of an attribute's name is dropped, others become hyphens; None leaves the attribute away.
    Numbers are written with at most two digits after the point: a hundredth of a pixel is seen by nobody.
    """
    element = ET.Element(tag)
    for name, value in attributes.items():
        if value is not None:
            written = value if isinstance(value, str) else number(value)
            element.set(name.rstrip("_").replace("_", "-"), written)
    for child in children:
        if child is None or isinstance(child, str | ET.Element):
            _append(element, child)
        else:
            for one in child:
                _append(element, one)
    return element


def _append(element: ET.Element, child: Node) -> None:
    if child is None:
        return
    if isinstance(child, ET.Element):
        element.append(child)
    elif len(element):
        element[-1].tail = (element[-1].tail or "") + child
    else:
        element.text = (element.text or "") + child


def number(value: float) -> str:
    """`3`, `2.5`, `0.33`."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def written(element: ET.Element) -> str:
    """The element as HTML."""
    return ET.tostring(element, encoding="unicode", method="html")
