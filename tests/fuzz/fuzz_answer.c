/* fuzz_answer.c - the target answer of `make fuzz`: fuzz_answer.h says what must hold.
 */
#include "fuzz_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_answer(str_make((const char *)data, size));
    return 0;
}
