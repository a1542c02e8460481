# refused by mypy: incompatible type "dict[str, type[Roman]]"; expected "Mapping[str, Callable[..., Converter[Any]]] | None"
from kingpost import App


class Roman:
    def convert(self, text: str) -> int:
        return len(text)


app = App(converters={"roman": Roman})
