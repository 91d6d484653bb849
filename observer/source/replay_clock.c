/* replay_clock.c - see replay_clock.h. */
#include "observer/source/replay_clock.h"

#include "base/str.h"

enum { ONE = REPLAY_SPEED_ONE, SECOND_US = 1000000 };

bool replay_speed_parse(const char *text, int64_t *ret_speed)
{
    struct str given = str_of(text);
    double speed;

    if (str_is(given, "max")) {
        *ret_speed = REPLAY_SPEED_MAX;
        return true;
    }
    if (str_starts(given, "x"))
        given = str_make(given.at + 1, given.len - 1);
    else if (given.len > 1 && given.at[given.len - 1] == 'x')
        given.len--;
    if (!str_to_double(given, (double)REPLAY_SPEED_MIN / ONE,
                       (double)REPLAY_SPEED_TOP / ONE, &speed))
        return false;
    *ret_speed = (int64_t)(speed * ONE + 0.5);
    return true;
}

void replay_clock_init(struct replay_clock *clock, int64_t first_us, int64_t last_us,
                       int64_t speed, int64_t mono_us)
{
    *clock = (struct replay_clock){.first_us = first_us,
                                   .last_us = last_us < first_us ? first_us : last_us,
                                   .at_us = first_us,
                                   .since_us = mono_us,
                                   .speed = speed};
}

static int64_t within(const struct replay_clock *clock, int64_t at_us)
{
    if (at_us < clock->first_us)
        return clock->first_us;
    return at_us > clock->last_us ? clock->last_us : at_us;
}

int64_t replay_clock_now(const struct replay_clock *clock, int64_t mono_us)
{
    int64_t passed_us = mono_us - clock->since_us;
    int64_t left_us = clock->last_us - clock->at_us;

    if (clock->paused || clock->speed == REPLAY_SPEED_MAX || passed_us <= 0)
        return clock->at_us;
    /* Divided first where the product might not fit. */
    if (passed_us / ONE > left_us / clock->speed)
        return clock->last_us;
    return within(clock, clock->at_us + passed_us * clock->speed / ONE);
}

bool replay_clock_over(const struct replay_clock *clock, int64_t mono_us)
{
    return replay_clock_now(clock, mono_us) >= clock->last_us;
}

void replay_clock_seek(struct replay_clock *clock, int64_t at_us, int64_t mono_us)
{
    clock->at_us = within(clock, at_us);
    clock->since_us = mono_us;
}

void replay_clock_pause(struct replay_clock *clock, bool paused, int64_t mono_us)
{
    replay_clock_seek(clock, replay_clock_now(clock, mono_us), mono_us);
    clock->paused = paused;
}

void replay_clock_faster(struct replay_clock *clock, int64_t mono_us)
{
    replay_clock_seek(clock, replay_clock_now(clock, mono_us), mono_us);
    if (clock->speed != REPLAY_SPEED_MAX)
        clock->speed =
            clock->speed * 2 > REPLAY_SPEED_TOP ? REPLAY_SPEED_MAX : clock->speed * 2;
}

void replay_clock_slower(struct replay_clock *clock, int64_t mono_us)
{
    replay_clock_seek(clock, replay_clock_now(clock, mono_us), mono_us);
    if (clock->speed == REPLAY_SPEED_MAX)
        clock->speed = REPLAY_SPEED_TOP;
    else if (clock->speed / 2 >= REPLAY_SPEED_MIN)
        clock->speed /= 2;
}

int64_t replay_clock_wait_us(const struct replay_clock *clock, int64_t at_us,
                             int64_t mono_us)
{
    int64_t now_us = replay_clock_now(clock, mono_us);

    if (at_us <= now_us)
        return 0;
    if (clock->paused || clock->speed == REPLAY_SPEED_MAX || at_us > clock->last_us)
        return -1;
    return (at_us - now_us) / clock->speed * ONE
           + (at_us - now_us) % clock->speed * ONE / clock->speed + 1;
}

static void add_time(int64_t span_us, struct buf *into)
{
    int64_t seconds = span_us / SECOND_US;
    int hours = (int)(seconds / 3600);

    if (hours > 0)
        (void)buf_printf(into, "%d:", hours);
    (void)buf_printf(into, hours > 0 ? "%02d:%02d" : "%d:%02d",
                     (int)(seconds / 60 % 60), (int)(seconds % 60));
}

void replay_clock_words(const struct replay_clock *clock, int64_t mono_us,
                        struct buf *into)
{
    int64_t now_us = replay_clock_now(clock, mono_us);

    (void)buf_add_text(into, "replay ");
    add_time(now_us - clock->first_us, into);
    (void)buf_add_text(into, " of ");
    add_time(clock->last_us - clock->first_us, into);
    if (clock->speed == REPLAY_SPEED_MAX)
        (void)buf_add_text(into, " max");
    else if (clock->speed % ONE == 0)
        (void)buf_printf(into, " x%d", (int)(clock->speed / ONE));
    else
        (void)buf_printf(into, " x%g", (double)clock->speed / ONE);
    if (now_us >= clock->last_us)
        (void)buf_add_text(into, " end");
    else if (clock->paused)
        (void)buf_add_text(into, " paused");
}
