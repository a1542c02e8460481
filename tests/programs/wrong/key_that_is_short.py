# refused at start-up: signing.weak-key: the key of a KeyRing has 13 bytes and needs at least 32
from kingpost import App
from kingpost.signing import KeyRing, Signer

app = App()
signer = Signer(KeyRing("correct horse"), "invitation")
