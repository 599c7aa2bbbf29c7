int own_read(char *text, int most);
