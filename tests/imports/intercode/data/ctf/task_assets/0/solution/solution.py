print(bytes(b ^ 0xFF for b in open('letters.bin', 'rb').read()).decode())
