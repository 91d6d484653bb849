/* rng.h - random numbers: seeded ones that repeat, and ids that must not.
 *
 * The generator is xoshiro256** by Blackman and Vigna (prng.di.unimi.it), seeded
 * through splitmix64. Not for secrets; ids come from the kernel.
 */
#ifndef PARLEY_RNG_H
#define PARLEY_RNG_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct rng {
    uint64_t state[4];
};

void rng_init(struct rng *rng, uint64_t seed);
uint64_t rng_next(struct rng *rng);
/* Evenly in [0, bound), bound >= 1. */
uint64_t rng_below(struct rng *rng, uint64_t bound);
/* In [0, 1). */
double rng_unit(struct rng *rng);
/* A stable 64-bit mix of some bytes (FNV-1a, then splitmix64's finish). */
uint64_t rng_hash(uint64_t seed, struct str text);

/* `letters` characters of 0-9a-v (base32hex in small letters) from the kernel's
 * random source, and a NUL; ret_text holds letters + 1. */
void rng_id(char *ret_text, size_t letters);
uint64_t rng_from_system(void);

#endif
