"""Any tool, played from its schema: name, description, parameters, arguments."""

from __future__ import annotations

import json

from react_envs.simulators.simulator import PolicySimulator, SimulatedCall

__all__ = ["SchemaSimulator"]


class SchemaSimulator(PolicySimulator):
    """Asks the policy what a tool would return, given what the tool's signature says.

    >>> from react_envs.types import Context, Task
    >>> from react_envs.tools import as_tool
    >>> def weather(city: str) -> str:
    ...     '''The weather in a city, in one word.'''
    >>> call = SimulatedCall(as_tool(weather), {"city": "Oslo"}, Task("?", ("!",)))
    >>> print(SchemaSimulator(lambda context: "rainy").prompt(call).splitlines()[2])
    Description: The weather in a city, in one word.
    """

    def prompt(self, call: SimulatedCall) -> str:
        parameters = json.dumps(call.tool.parameters, sort_keys=True, ensure_ascii=False)
        arguments = json.dumps(call.arguments, sort_keys=True, ensure_ascii=False)
        return (
            "You play a tool that a program calls. Write exactly what the tool returns, as plain "
            "text, and nothing else: no remark, no fence.\n"
            f"Tool: {call.tool.name}\n"
            f"Description: {call.tool.description}\n"
            f"Parameters (JSON schema): {parameters}\n"
            f"Arguments of this call: {arguments}\n"
            "Result:"
        )
