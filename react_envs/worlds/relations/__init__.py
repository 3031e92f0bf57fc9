"""The relations of the synthetic encyclopedia, by theme. Changing a text needs a new `VERSION`."""

from __future__ import annotations

from react_envs.worlds.relation import Kind, Relation
from react_envs.worlds.relations.lists import LISTS, RULED, RULER, PersonList
from react_envs.worlds.relations.people import PERSON, PERSON_RELATIONS
from react_envs.worlds.relations.places import PLACE_RELATIONS, PLACES
from react_envs.worlds.relations.things import THING_RELATIONS, THINGS

__all__ = ["KINDS", "LISTS", "RELATIONS", "RELATIONS_OF", "RULED", "RULER", "PersonList"]

KINDS: dict[str, Kind] = {kind.name: kind for kind in (PERSON, *PLACES, *THINGS)}

RELATIONS: dict[str, Relation] = {
    relation.name: relation for relation in (*PERSON_RELATIONS, *PLACE_RELATIONS, *THING_RELATIONS)
}

RELATIONS_OF: dict[str, tuple[Relation, ...]] = {
    kind: tuple(r for r in RELATIONS.values() if r.subject == kind) for kind in KINDS
}
"""What is told of a kind."""
