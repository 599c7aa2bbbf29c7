print("flag" + "{temp}")
