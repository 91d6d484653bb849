/* tail_id.c - see tail_id.h. */
#include "tail_id.h"

#include <inttypes.h>

/* Up to 20 digits: ids use all 64 bits, more than str_to_i64 knows. */
static bool parse_u64(struct str text, uint64_t *ret_value)
{
    uint64_t value = 0;

    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        uint64_t digit = (uint64_t)(unsigned char)text.at[i] - '0';

        if (digit > 9 || value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *ret_value = value;
    return true;
}

bool tail_id_parse(struct str text, struct tail_id *ret_id)
{
    struct str number;
    struct str ms = str_cut(text, '-', &number);
    struct tail_id id;

    if (!parse_u64(ms, &id.ms) || !parse_u64(number, &id.number))
        return false;
    *ret_id = id;
    return true;
}

void tail_id_format(const struct tail_id *id, char ret[TAIL_ID_SIZE])
{
    fmt_into(ret, TAIL_ID_SIZE, "%" PRIu64 "-%" PRIu64, id->ms, id->number);
}

int tail_id_compare(const struct tail_id *a, const struct tail_id *b)
{
    if (a->ms != b->ms)
        return a->ms < b->ms ? -1 : 1;
    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    return 0;
}
