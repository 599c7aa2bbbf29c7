print(open('line.txt').read()[::2])
