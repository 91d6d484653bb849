/* wish_cast.c - see wish_cast.h. */
#include "cli/wish_cast.h"

#include "base/alloc.h"
#include "llm/cast_runners.h"
#include "proto/config.h"

bool wish_cast_make(const struct wish *wish, const struct endpoint_list *endpoints,
                    struct cast *ret_cast, struct err *err)
{
    struct cast cast = {0};

    if (wish->story_file != NULL) {
        if (!cast_parse_story_file(str_of(wish->story_file), &cast, err))
            return err_wrap(err, "story file");
    } else {
        cast.seat_count = (size_t)wish->personas;
        cast.seats = x_calloc(cast.seat_count, sizeof *cast.seats);
        for (size_t i = 0; i < cast.seat_count; i++)
            seat_init(&cast.seats[i]);
    }
    for (size_t i = 0; i < cast.seat_count; i++)
        wish_equip(wish, (int64_t)i + 1, endpoints, &cast.seats[i]);
    *ret_cast = cast;
    return true;
}

bool wish_cast_agrees(const struct wish *wish, const struct config *config,
                      bool defaults_known, struct err *err)
{
    struct cast cast;
    bool ok;

    if (!wish_cast_make(wish, &config->endpoints, &cast, err))
        return false;
    ok = cast_runners_agree(&cast, config, defaults_known, err);
    cast_done(&cast);
    return ok;
}
