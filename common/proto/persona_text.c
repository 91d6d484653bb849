/* persona_text.c - see persona_text.h. */
#include "proto/persona_text.h"

#include <assert.h>

#include "proto/cast.h"
#include "proto/template.h"

enum { LIST_MAX_BYTES = 4 << 20 };

static void list_people(const struct cast *cast, struct buf *into)
{
    for (size_t i = 0; i < cast->seat_count; i++) {
        const struct persona *persona = &cast->seats[i].persona;

        buf_printf(into, "%s- %s, %s", i == 0 ? "" : "\n", persona->name,
                   persona->role);
    }
}

static void list_traits(const struct persona *persona, struct buf *into)
{
    for (size_t i = 0; i < persona->trait_count; i++)
        buf_printf(into, "%s%s", i == 0 ? "" : ", ", persona->traits[i]);
}

bool persona_text_fill(const char *template_text, const struct cast *cast,
                       const char *topic, int64_t seat, struct buf *into,
                       struct err *err)
{
    const struct persona *me = &cast->seats[seat - 1].persona;
    struct buf people;
    struct buf traits;
    bool ok;

    assert(seat >= 1 && (size_t)seat <= cast->seat_count);
    buf_init(&people, LIST_MAX_BYTES);
    buf_init(&traits, LIST_MAX_BYTES);
    list_people(cast, &people);
    list_traits(me, &traits);
    {
        const struct template_value values[] = {
            {"name", str_of(me->name)},
            {"role", str_of(me->role)},
            {"goal", str_of(me->goal)},
            {"style", str_of(me->style)},
            {"topic", str_of(topic)},
            {"setting", str_of(cast->story.setting)},
            {"situation", str_of(cast->story.initial_situation)},
            {"others", buf_str(&people)},
            {"traits", buf_str(&traits)},
        };

        ok = template_fill(str_trim(str_of(template_text)), values,
                           sizeof values / sizeof *values, into, err);
    }
    buf_done(&people);
    buf_done(&traits);
    return ok;
}

const struct persona_frame *persona_text_frame(bool whispered)
{
    static const struct persona_frame stage_direction = {"(Stage direction: ", ")"};
    static const struct persona_frame whisper = {
        "(Whispered to you alone, the others do not hear it: ", ")"};

    return whispered ? &whisper : &stage_direction;
}
