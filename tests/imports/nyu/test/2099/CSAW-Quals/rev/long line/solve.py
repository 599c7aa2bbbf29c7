import pathlib

print(pathlib.Path("line.txt").open().read()[::2])
