int read_line(char *text, int most);
