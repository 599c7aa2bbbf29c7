/*
 * A list is "SHLF", a version, and records: a tag, a length of one byte, and as many bytes.
 *
 *   L  the label of the shelf; spaces at its end do not count
 *   I  an item: how many (two bytes, the high one first), then its name
 *   N  a note for people, skipped here
 *   E  the end; nothing is read behind it
 */
#include "../include/shelf/shelf.h"

#include <stdlib.h>
#include <string.h>

#define LABEL_MAX 32

static const uint8_t MAGIC[] = {'S', 'H', 'L', 'F', 1};

void shelf_begin(struct shelf *shelf)
{
    shelf->label = NULL;
    shelf->used = 0;
}

void shelf_end(struct shelf *shelf)
{
    free(shelf->label);
    shelf->label = NULL;
}

static int keep_label(struct shelf *shelf, const char *text, size_t length)
{
    char *kept = malloc(length + 1);
    if (kept == NULL)
        return -1;
    memcpy(kept, text, length);
    kept[length] = '\0';
    free(shelf->label);
    shelf->label = kept;
    return 0;
}

static int read_label(struct shelf *shelf, const uint8_t *data, size_t length)
{
    char text[LABEL_MAX];

    memcpy(text, data, length);
    while (length > 0 && text[length - 1] == ' ')
        length--;
    return keep_label(shelf, text, length);
}

static int read_item(struct shelf *shelf, const uint8_t *data, size_t length)
{
    struct shelf_item *item;

    if (length < 3 || length - 2 > SHELF_NAME_MAX)
        return -1;
    if (shelf->used == SHELF_ITEMS_MAX)
        return -1;
    item = &shelf->items[shelf->used];
    item->count = (uint16_t)(data[0] << 8 | data[1]);
    memcpy(item->name, data + 2, length - 2);
    item->name[length - 2] = '\0';
    shelf->used++;
    return 0;
}

int shelf_read(struct shelf *shelf, const uint8_t *data, size_t size)
{
    size_t at = sizeof(MAGIC);

    if (size < sizeof(MAGIC) || memcmp(data, MAGIC, sizeof(MAGIC)) != 0)
        return -1;
    while (at + 2 <= size) {
        uint8_t tag = data[at];
        size_t length = data[at + 1];

        at += 2;
        if (tag == 'E')
            return length == 0 ? 0 : -1;
        if (length > size - at)
            return -1;
        if (tag == 'L' && read_label(shelf, data + at, length) != 0)
            return -1;
        if (tag == 'I' && read_item(shelf, data + at, length) != 0)
            return -1;
        if (tag != 'L' && tag != 'I' && tag != 'N')
            return -1;
        at += length;
    }
    return -1;
}

unsigned long shelf_total(const struct shelf *shelf)
{
    unsigned long total = 0;

    for (size_t i = 0; i < shelf->used; i++)
        total += shelf->items[i].count;
    return total;
}

/* For fuzzers: one list, read and thrown away. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct shelf shelf;

    shelf_begin(&shelf);
    shelf_read(&shelf, data, size);
    shelf_end(&shelf);
    return 0;
}
