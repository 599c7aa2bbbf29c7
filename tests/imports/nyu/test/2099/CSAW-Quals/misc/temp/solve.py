print('flag' + '{temp}')
