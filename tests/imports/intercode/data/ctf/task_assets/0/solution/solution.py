import pathlib

print(bytes(b ^ 0xFF for b in pathlib.Path("letters.bin").open("rb").read()).decode())
