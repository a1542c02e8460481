# refused by mypy: Dict entry 0 has incompatible type "str": "type[Roman]"; expected "str": "Callable[..., Converter[Any]]"
from kingpost import App


class Roman:
    def convert(self, text: str) -> int:
        return len(text)


app = App(converters={"roman": Roman})
