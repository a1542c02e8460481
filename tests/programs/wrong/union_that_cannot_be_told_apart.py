# refused at start-up: binding.body-type: pet cannot be read from JSON: Cat and Dog cannot be told apart; give each a tag, or a Literal field of one name
from dataclasses import dataclass

from kingpost import App

app = App()


@dataclass
class Cat:
    name: str


@dataclass
class Dog:
    name: str


@app.post("/pets")
def add(pet: Cat | Dog) -> str:
    return pet.name
