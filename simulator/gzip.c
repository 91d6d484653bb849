/* gzip.c - see gzip.h. The fixed code is that of RFC 1951, section 3.2.6.
 *
 * Flow: gzip_pack -> head -> add_code each byte, the end of the block -> checksum, size
 */
#include "simulator/gzip.h"

#include <stdint.h>

struct bits {
    struct buf *into;
    unsigned held; /* the first bit is the lowest */
    unsigned count;
};

static void add_bit(struct bits *bits, unsigned bit)
{
    bits->held |= bit << bits->count++;
    if (bits->count < 8)
        return;
    (void)buf_add_char(bits->into, (char)bits->held); /* a full buffer tells */
    bits->held = 0;
    bits->count = 0;
}

/* A code goes out from its highest bit on. */
static void add_code(struct bits *bits, unsigned code, unsigned len)
{
    while (len-- > 0)
        add_bit(bits, code >> len & 1);
}

static void add_literal(struct bits *bits, unsigned char byte)
{
    if (byte < 144)
        add_code(bits, 0x30U + byte, 8);
    else
        add_code(bits, 0x190U + byte - 144U, 9);
}

static uint32_t checksum(struct str bytes)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < bytes.len; i++) {
        crc ^= (unsigned char)bytes.at[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xEDB88320) : 0);
    }
    return ~crc;
}

static void add_u32(struct buf *into, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        (void)buf_add_char(into, (char)(value >> 8 * i & 0xFF));
}

void gzip_pack(struct str bytes, struct buf *into)
{
    static const char head[10] = {0x1F, (char)0x8B, 8, 0, 0, 0, 0, 0, 0, 3};
    struct bits bits = {.into = into};

    (void)buf_add(into, head, sizeof(head));
    add_bit(&bits, 1); /* the last block */
    add_bit(&bits, 1); /* of kind 1, the lower bit first: the fixed code */
    add_bit(&bits, 0);
    for (size_t i = 0; i < bytes.len; i++)
        add_literal(&bits, (unsigned char)bytes.at[i]);
    add_code(&bits, 0, 7);
    while (bits.count > 0)
        add_bit(&bits, 0);
    add_u32(into, checksum(bytes));
    add_u32(into, (uint32_t)bytes.len);
}
