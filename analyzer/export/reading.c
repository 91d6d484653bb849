/* reading.c - what the three forms of reading.h have in common. */
#include "analyzer/export/reading.h"

#include "base/utf8.h"

const char *reading_speaker(const struct survey *survey, const struct message *message,
                            char room[READING_NAME_SIZE])
{
    const char *name =
        message->author != NULL ? message->author : survey_name(survey, message->seat);

    if (message->kind != MESSAGE_TURN)
        return "stage";
    if (name != NULL)
        return name;
    fmt_into(room, READING_NAME_SIZE, "seat %d", (int)message->seat);
    return room;
}

void reading_left_out(const struct survey *survey, char ret_text[READING_LEFT_SIZE])
{
    const struct left_out *left = &survey->left;

    ret_text[0] = '\0';
    if (left->failed + left->empty > 0)
        fmt_into(ret_text, READING_LEFT_SIZE, "left out: %lld failed, %lld empty turns",
                 (long long)left->failed, (long long)left->empty);
}

void reading_to(const struct survey *survey, const struct message *message,
                struct buf *into)
{
    for (size_t i = 0; i < message->to_count; i++) {
        const char *name = survey_name(survey, message->to[i]);

        buf_add_text(into, i == 0 ? ", to " : " and ");
        if (name != NULL)
            utf8_harmless(str_of(name), false, into);
        else
            buf_printf(into, "seat %d", message->to[i]);
    }
}
