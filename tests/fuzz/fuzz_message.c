/* fuzz_message.c - the target message of `make fuzz`: fuzz_parsers.h says what must
 * hold. */
#include "fuzz_parsers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_message(str_make((const char *)data, size));
    return 0;
}
