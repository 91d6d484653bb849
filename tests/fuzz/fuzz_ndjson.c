/* fuzz_ndjson.c - the target ndjson of `make fuzz`: fuzz_reader.h says what must hold.
 */
#include "fuzz_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_ndjson(str_make((const char *)data, size));
    return 0;
}
