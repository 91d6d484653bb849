/* rng.c - see rng.h. */
#include "base/rng.h"

#include <assert.h>
#include <errno.h>
#include <sys/random.h>

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void rng_init(struct rng *rng, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        seed += UINT64_C(0x9e3779b97f4a7c15);
        rng->state[i] = mix(seed);
    }
}

static uint64_t rotate(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

uint64_t rng_next(struct rng *rng)
{
    uint64_t *s = rng->state;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

uint64_t rng_below(struct rng *rng, uint64_t bound)
{
    uint64_t limit;
    uint64_t value;

    assert(bound >= 1);
    limit = UINT64_MAX
            - UINT64_MAX % bound; /* beyond it the small values would weigh more */
    do {
        value = rng_next(rng);
    } while (value >= limit);
    return value % bound;
}

double rng_unit(struct rng *rng)
{
    return (double)(rng_next(rng) >> 11) * 0x1.0p-53;
}

uint64_t rng_hash(uint64_t seed, struct str text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ seed;

    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.at[i]) * UINT64_C(0x100000001b3);
    return mix(hash);
}

static void from_system(unsigned char *bytes, size_t count)
{
    ssize_t got;

    do {
        got = getrandom(bytes, count, 0); /* up to 256 bytes come whole or never */
    } while (got < 0 && errno == EINTR);
    assert(got == (ssize_t)count);
}

uint64_t rng_from_system(void)
{
    uint64_t value = 0;
    unsigned char bytes[8];

    from_system(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        value = value << 8 | bytes[i];
    return value;
}

void rng_id(char *ret_text, size_t letters)
{
    static const char alphabet[] = "0123456789abcdefghijklmnopqrstuv";
    unsigned char bytes[64];

    assert(letters <= sizeof bytes);
    from_system(bytes, letters);
    for (size_t i = 0; i < letters; i++)
        ret_text[i] = alphabet[bytes[i] % 32];
    ret_text[letters] = '\0';
}
