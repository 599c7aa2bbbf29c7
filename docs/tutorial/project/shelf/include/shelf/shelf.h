/* Reads stock lists: what stands on a shelf, and how often. */
#ifndef SHELF_H
#define SHELF_H

#include <stddef.h>
#include <stdint.h>

enum { SHELF_ITEMS_MAX = 64, SHELF_NAME_MAX = 40 };

struct shelf_item {
    uint16_t count;
    char name[SHELF_NAME_MAX + 1];
};

struct shelf {
    char *label;
    size_t used;
    struct shelf_item items[SHELF_ITEMS_MAX];
};

/* An empty shelf. It keeps memory until shelf_end. */
void shelf_begin(struct shelf *shelf);
void shelf_end(struct shelf *shelf);

/* Reads a whole list. 0, or -1 where it is no list; the shelf can be ended in either case. */
int shelf_read(struct shelf *shelf, const uint8_t *data, size_t size);

/* How many things stand on it, over all items. */
unsigned long shelf_total(const struct shelf *shelf);

#endif
