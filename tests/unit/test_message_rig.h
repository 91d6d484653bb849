/* test_message_rig.h - messages full of hostile text, and whether two are the same; for
 * the tests of message.c and message_scan.c.
 */
#ifndef PARLEY_TEST_MESSAGE_RIG_H
#define PARLEY_TEST_MESSAGE_RIG_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "proto/message.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

/* Text as a model or an attacker might send it; never NULL, no NUL. */
static char *hostile_text(struct rng *rng)
{
    static const char *const pieces[] = {
        "a",
        "word ",
        "\"",
        "\\",
        "\n",
        "\r\t",
        "\x1B[2J",
        "\x01",
        "\xC3\xA4",
        "\xE2\x80\xAE",
        "\xFF",
        "\xED\xA0\x80",
        "\xF0\x9F\x98\x80",
        "\xE2\x82",
        "</script>",
        "\\u0000",
        "{\"a\":",
        "]}",
        "\x7F",
    };
    size_t count = rng_below(rng, 12);
    struct buf text;

    buf_init(&text, 1000);
    for (size_t i = 0; i < count; i++)
        buf_add_text(&text, pieces[rng_below(rng, sizeof pieces / sizeof *pieces)]);
    return buf_take(&text);
}

static char *text_or_null(struct rng *rng)
{
    return rng_below(rng, 4) == 0 ? NULL : hostile_text(rng);
}

static char *text_not_empty(struct rng *rng)
{
    char *rest = hostile_text(rng);
    char *text = x_printf("x%s", rest);

    free(rest);
    return text;
}

static char *words_or_null(struct rng *rng)
{
    static const char *const all[] = {NULL, "name_prefix", "name_prefix,capped",
                                      "a \xC3\xA4,\x7F,capped"};

    return all[rng_below(rng, 4)] == NULL ? NULL : x_strdup(all[1 + rng_below(rng, 3)]);
}

static int64_t count_or_unknown(struct rng *rng, int64_t min)
{
    return rng_below(rng, 4) == 0 ? -1 : min + (int64_t)rng_below(rng, 1 << 30);
}

static double ms_or_unknown(struct rng *rng)
{
    return rng_below(rng, 4) == 0 ? -1 : (double)rng_below(rng, 100000000) / 1000;
}

static void fill_story(struct rng *rng, struct story *story)
{
    size_t count = rng_below(rng, 4);

    story->setting = hostile_text(rng);
    story->initial_situation = hostile_text(rng);
    if (count > 0)
        story->characters = x_calloc(count, sizeof *story->characters);
    story->character_count = count;
    for (size_t i = 0; i < count; i++) {
        story->characters[i].name = hostile_text(rng);
        story->characters[i].description = hostile_text(rng);
    }
}

static void fill_persona(struct rng *rng, struct persona *persona)
{
    size_t count = rng_below(rng, 4);

    persona->name = hostile_text(rng);
    persona->role = hostile_text(rng);
    persona->goal = hostile_text(rng);
    persona->style = hostile_text(rng);
    if (count > 0)
        persona->traits = x_calloc(count, sizeof *persona->traits);
    persona->trait_count = count;
    for (size_t i = 0; i < count; i++)
        persona->traits[i] = hostile_text(rng);
}

static void fill_turn(struct rng *rng, struct message *message)
{
    size_t count = rng_below(rng, 4);

    message->text = hostile_text(rng);
    if (rng_below(rng, 2) == 0)
        message->sentiment = ((double)rng_below(rng, 2001) - 1000) / 1000;
    if (count > 0)
        message->references = x_calloc(count, sizeof *message->references);
    message->reference_count = count;
    for (size_t i = 0; i < count; i++)
        message->references[i] = hostile_text(rng);
    if (message->kind == MESSAGE_TURN)
        message->sequence_number = 1 + (int64_t)rng_below(rng, 1000);
    message->failed = message->kind == MESSAGE_TURN && rng_below(rng, 4) == 0;
}

static void fill_seats(struct rng *rng, struct message *message)
{
    size_t count = rng_below(rng, SEATS_MAX + 1);

    if (count == 0 && message->kind == MESSAGE_WHISPER)
        count = 1; /* it is whispered to somebody */
    if (count == 0)
        return;
    message->to = x_calloc(count, sizeof *message->to);
    message->to_count = count;
    for (size_t i = 0; i < count; i++)
        message->to[i] = (int)i + 1;
}

static void random_message(struct rng *rng, struct message *message)
{
    message_init(message, (enum message_kind)rng_below(rng, MESSAGE_KIND_COUNT));
    if (message->kind == MESSAGE_STORY)
        fill_story(rng, &message->story);
    else if (message->kind == MESSAGE_PERSONA)
        fill_persona(rng, &message->persona);
    else
        fill_turn(rng, message);
    fill_seats(rng, message);
    if (rng_below(rng, 4) != 0)
        message->queue_timestamp_us = (int64_t)rng_below(rng, INT64_C(1) << 52);
    message->message_id = text_not_empty(rng);
    message->role = x_strdup(rng_below(rng, 2) == 0 ? "assistant" : "system");
    message->conversation_id = text_not_empty(rng);
    if (message->kind == MESSAGE_TURN || message->kind == MESSAGE_PERSONA)
        message->seat = 1 + (int64_t)rng_below(rng, SEATS_MAX);
    message->author = text_or_null(rng);
    message->tokens_generated = count_or_unknown(rng, 0);
    message->generation_time_ms = ms_or_unknown(rng);
    message->prompt_tokens = count_or_unknown(rng, 0);
    message->time_to_first_token_ms = ms_or_unknown(rng);
    message->tokens_per_second = ms_or_unknown(rng);
    message->queue_wait_ms = ms_or_unknown(rng);
    message->endpoint_wait_ms = ms_or_unknown(rng);
    message->routing_ms = ms_or_unknown(rng);
    message->attempts = count_or_unknown(rng, 0);
    message->issue = count_or_unknown(rng, 1);
    message->provider = text_or_null(rng);
    message->endpoint = text_or_null(rng);
    message->model = text_or_null(rng);
    message->finish_reason = text_or_null(rng);
    message->chunks = count_or_unknown(rng, 0);
    message->longest_gap_ms = ms_or_unknown(rng);
    message->prefill_ms = ms_or_unknown(rng);
    message->decode_ms = ms_or_unknown(rng);
    message->load_ms = ms_or_unknown(rng);
    message->worker_ms = ms_or_unknown(rng);
    message->prompt_cached_tokens = count_or_unknown(rng, 0);
    message->num_ctx = count_or_unknown(rng, 1);
    message->cost = ms_or_unknown(rng);
    message->cleaned = words_or_null(rng);
    message->context_truncated = rng_below(rng, 2) == 0;
    message->fallback = rng_below(rng, 2) == 0;
}

/* What was sent may have been broken UTF-8; what came is that, mended. */
static void same_text(const char *sent, const char *came)
{
    struct buf mended;

    if (sent == NULL || came == NULL) {
        assert_ptr_equal(sent, came);
        return;
    }
    buf_init(&mended, 4 << 20);
    assert_true(utf8_mend(str_of(sent), &mended));
    assert_string_equal(buf_text(&mended), came);
    buf_done(&mended);
}

static void same_number(double a, double b)
{
    assert_true((isnan(a) && isnan(b)) || (a <= b && a >= b));
}

static void same_texts(char *const *a, size_t a_count, char *const *b, size_t b_count)
{
    assert_int_equal(a_count, b_count);
    for (size_t i = 0; i < a_count; i++)
        same_text(a[i], b[i]);
}

static void same_content(const struct message *a, const struct message *b)
{
    same_text(a->text, b->text);
    same_number(a->sentiment, b->sentiment);
    same_texts(a->references, a->reference_count, b->references, b->reference_count);
    same_text(a->story.setting, b->story.setting);
    same_text(a->story.initial_situation, b->story.initial_situation);
    assert_int_equal(a->story.character_count, b->story.character_count);
    for (size_t i = 0; i < a->story.character_count; i++) {
        same_text(a->story.characters[i].name, b->story.characters[i].name);
        same_text(a->story.characters[i].description,
                  b->story.characters[i].description);
    }
    same_text(a->persona.name, b->persona.name);
    same_text(a->persona.role, b->persona.role);
    same_texts(a->persona.traits, a->persona.trait_count, b->persona.traits,
               b->persona.trait_count);
    same_text(a->persona.goal, b->persona.goal);
    same_text(a->persona.style, b->persona.style);
}

static void same_message(const struct message *a, const struct message *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->queue_timestamp_us, b->queue_timestamp_us);
    same_text(a->message_id, b->message_id);
    same_text(a->role, b->role);
    assert_int_equal(a->to_count, b->to_count);
    if (a->to == NULL || b->to == NULL)
        assert_ptr_equal(a->to, b->to);
    for (size_t i = 0; a->to != NULL && b->to != NULL && i < a->to_count; i++)
        assert_int_equal(a->to[i], b->to[i]);
    same_content(a, b);
    same_text(a->conversation_id, b->conversation_id);
    assert_int_equal(a->sequence_number, b->sequence_number);
    assert_int_equal(a->seat, b->seat);
    same_text(a->author, b->author);
    assert_int_equal(a->tokens_generated, b->tokens_generated);
    same_number(a->generation_time_ms, b->generation_time_ms);
    assert_int_equal(a->prompt_tokens, b->prompt_tokens);
    same_number(a->time_to_first_token_ms, b->time_to_first_token_ms);
    same_number(a->tokens_per_second, b->tokens_per_second);
    same_number(a->queue_wait_ms, b->queue_wait_ms);
    same_number(a->endpoint_wait_ms, b->endpoint_wait_ms);
    same_number(a->routing_ms, b->routing_ms);
    assert_int_equal(a->attempts, b->attempts);
    assert_int_equal(a->issue, b->issue);
    same_text(a->provider, b->provider);
    same_text(a->endpoint, b->endpoint);
    same_text(a->model, b->model);
    same_text(a->finish_reason, b->finish_reason);
    assert_int_equal(a->chunks, b->chunks);
    same_number(a->longest_gap_ms, b->longest_gap_ms);
    same_number(a->prefill_ms, b->prefill_ms);
    same_number(a->decode_ms, b->decode_ms);
    same_number(a->load_ms, b->load_ms);
    same_number(a->worker_ms, b->worker_ms);
    assert_int_equal(a->prompt_cached_tokens, b->prompt_cached_tokens);
    assert_int_equal(a->num_ctx, b->num_ctx);
    same_number(a->cost, b->cost);
    same_text(a->cleaned, b->cleaned);
    assert_int_equal(a->context_truncated, b->context_truncated);
    assert_int_equal(a->fallback, b->fallback);
    assert_int_equal(a->failed, b->failed);
}

static void turn_of(const char *text, struct message *ret_message)
{
    message_init(ret_message, MESSAGE_TURN);
    ret_message->message_id = x_strdup("k3v9q2m4x7ab:7");
    ret_message->conversation_id = x_strdup("k3v9q2m4x7ab");
    ret_message->sequence_number = 7;
    ret_message->seat = 1;
    ret_message->text = text == NULL ? NULL : x_strdup(text);
}

/* `text` with one piece replaced; the caller frees. */
static char *changed(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);

    assert_non_null(at);
    return x_printf("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

#endif
