/* shelf FILE: prints what stands on the shelf; ends with 1 where FILE is no list. */
#include "../include/shelf/shelf.h"

#include <stdio.h>

enum { FILE_MAX = 1 << 16 };

int main(int argc, char **argv)
{
    static uint8_t data[FILE_MAX];
    struct shelf shelf;
    FILE *file;
    size_t size;
    int wrong;

    if (argc != 2) {
        fprintf(stderr, "usage: shelf FILE\n");
        return 2;
    }
    file = fopen(argv[1], "rb");
    if (file == NULL) {
        perror(argv[1]);
        return 2;
    }
    size = fread(data, 1, sizeof(data), file);
    fclose(file);

    shelf_begin(&shelf);
    wrong = shelf_read(&shelf, data, size);
    if (wrong) {
        printf("no stock list\n");
    } else {
        printf("%s\n", shelf.label != NULL ? shelf.label : "(no label)");
        for (size_t i = 0; i < shelf.used; i++)
            printf("%6u  %s\n", (unsigned)shelf.items[i].count, shelf.items[i].name);
        printf("%6lu  in all\n", shelf_total(&shelf));
    }
    shelf_end(&shelf);
    return wrong ? 1 : 0;
}
