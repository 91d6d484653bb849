/* report_groups.c - the tables of groups: personas, models, endpoints, turn indexes,
 * conversations.
 */
#include <math.h>
#include <stdlib.h>

#include "analyzer/page.h"
#include "analyzer/report.h"
#include "analyzer/report_page.h"
#include "analyzer/report_sections.h"
#include "analyzer/tally.h"
#include "base/alloc.h"

static size_t shown_of(size_t count, const struct report_wish *wish)
{
    return count > wish->rows ? wish->rows : count;
}

static double percent_of(struct group *group, enum metric metric, double percent)
{
    return spread_percentile(&group->metrics[metric], percent);
}

/* ---- personas, models, endpoints ---- */

static const struct page_column group_columns[] = {
    {"", ALIGN_LEFT, 16, 0},
    {"turns", ALIGN_RIGHT, 0, 0},
    {"failed", ALIGN_RIGHT, 0, 5},
    {"tokens", ALIGN_RIGHT, 0, 0},
    {"prompt tokens", ALIGN_RIGHT, 0, 6},
    {"tok/s", ALIGN_RIGHT, 0, 0},
    {"ttft p50", ALIGN_RIGHT, 0, 0},
    {"ttft p95", ALIGN_RIGHT, 0, 1},
    {"ttft p99", ALIGN_RIGHT, 0, 4},
    {"turn p50", ALIGN_RIGHT, 0, 2},
    {"turn p95", ALIGN_RIGHT, 0, 3},
};

static void group_row(struct page *page, const char *title, struct group *group)
{
    page_cell_text(page, PEN_PLAIN, title);
    page_cell_count(page, group->counts.turns);
    page_cell_text(page, group->counts.failed_turns > 0 ? PEN_BAD : PEN_PLAIN,
                   page_count(group->counts.failed_turns));
    page_cell_count(page, group->counts.tokens_generated);
    page_cell_count(page, group->counts.prompt_tokens);
    page_cell_number(page, percent_of(group, METRIC_TOKENS_PER_SECOND, 50));
    page_cell_number(page, percent_of(group, METRIC_TIME_TO_FIRST_TOKEN, 50));
    page_cell_number(page, percent_of(group, METRIC_TIME_TO_FIRST_TOKEN, 95));
    page_cell_number(page, percent_of(group, METRIC_TIME_TO_FIRST_TOKEN, 99));
    page_cell_number(page, percent_of(group, METRIC_TURN_TIME, 50));
    page_cell_number(page, percent_of(group, METRIC_TURN_TIME, 95));
}

static const char *or_dash(const char *text)
{
    return text == NULL ? "-" : text;
}

static char *persona_title(const struct group *group)
{
    return x_printf("%lld %s", (long long)group->seat, or_dash(group->name));
}

static char *model_title(const struct group *group)
{
    if (group->provider.text == NULL)
        return x_strdup(or_dash(group->model.text));
    return x_printf("%s %s", group->provider.text, or_dash(group->model.text));
}

static char *endpoint_title(const struct group *group)
{
    if (group->provider.text == NULL)
        return x_strdup(or_dash(group->endpoint));
    return x_printf("%s %s", group->provider.text, or_dash(group->endpoint));
}

static void group_table(struct page *page, const struct group_table *table,
                        const struct report_wish *wish,
                        char *(*title_of)(const struct group *group))
{
    size_t count = group_table_count(table);
    size_t shown = shown_of(count, wish);

    page_table(page, group_columns, sizeof group_columns / sizeof *group_columns);
    for (size_t i = 0; i < shown; i++) {
        struct group *group = group_table_at(table, i);
        char *title = title_of(group);

        group_row(page, title, group);
        free(title);
    }
    section_rest(page, count, shown, count);
    if (group_table_passed(table) > 0)
        page_words(page, PEN_WARN,
                   "%s turns belong to no row: so many groups are not told apart.",
                   page_count(group_table_passed(table)));
}

void section_personas(const struct report *report, const struct report_wish *wish,
                      struct page *page)
{
    if (group_table_count(report->tally->personas) == 0)
        return;
    page_section(page, "By persona (seat and name; ms)");
    group_table(page, report->tally->personas, wish, persona_title);
}

void section_models(const struct report *report, const struct report_wish *wish,
                    struct page *page)
{
    if (group_table_count(report->tally->models) == 0)
        return;
    page_section(page, "By model (ms)");
    group_table(page, report->tally->models, wish, model_title);
}

/* One endpoint alone would repeat the table of models. */
void section_endpoints(const struct report *report, const struct report_wish *wish,
                       struct page *page)
{
    if (group_table_count(report->tally->endpoints) < 2)
        return;
    page_section(page, "By endpoint (ms)");
    group_table(page, report->tally->endpoints, wish, endpoint_title);
}

/* ---- turn indexes ---- */

static const struct page_column index_columns[] = {
    {"turn", ALIGN_RIGHT, 0, 0},     {"turns", ALIGN_RIGHT, 0, 0},
    {"ttft p50", ALIGN_RIGHT, 0, 0}, {"", ALIGN_LEFT, 0, 0},
    {"ttft p95", ALIGN_RIGHT, 0, 0}, {"generation p50", ALIGN_RIGHT, 0, 1},
    {"tok/s", ALIGN_RIGHT, 0, 2},    {"prompt tokens", ALIGN_RIGHT, 0, 3},
};

static double greatest_first_token(const struct tally *tally)
{
    double max = (double)NAN;

    for (size_t i = 0; i < TURN_CLASSES; i++)
        if (tally->turn_indexes[i] != NULL)
            max = fmax(max, percent_of(tally->turn_indexes[i],
                                       METRIC_TIME_TO_FIRST_TOKEN, 50));
    return max;
}

static void index_row(struct page *page, struct group *group, double max)
{
    double first = percent_of(group, METRIC_TIME_TO_FIRST_TOKEN, 50);
    char title[48];

    if (group->first_turn == group->last_turn)
        fmt_into(title, sizeof title, "%lld", (long long)group->first_turn);
    else
        fmt_into(title, sizeof title, "%lld-%lld", (long long)group->first_turn,
                 (long long)group->last_turn);
    page_cell_text(page, PEN_PLAIN, title);
    page_cell_count(page, group->counts.turns);
    page_cell_number(page, first);
    page_cell_bar(page, first, max);
    page_cell_number(page, percent_of(group, METRIC_TIME_TO_FIRST_TOKEN, 95));
    page_cell_number(page, percent_of(group, METRIC_GENERATION_TIME, 50));
    page_cell_number(page, percent_of(group, METRIC_TOKENS_PER_SECOND, 50));
    page_cell_number(page, percent_of(group, METRIC_PROMPT_TOKENS, 50));
}

void section_turn_indexes(const struct report *report, const struct report_wish *wish,
                          struct page *page)
{
    const struct tally *tally = report->tally;
    double max = greatest_first_token(tally);

    (void)wish; /* their number is bounded */
    if (tally->total.counts.turns == 0)
        return;
    page_section(page, "By turn of the conversation (ms)");
    page_table(page, index_columns, sizeof index_columns / sizeof *index_columns);
    for (size_t i = 0; i < TURN_CLASSES; i++)
        if (tally->turn_indexes[i] != NULL)
            index_row(page, tally->turn_indexes[i], max);
}

/* ---- conversations ---- */

static const struct page_column conversation_columns[] = {
    {"id", ALIGN_LEFT, 12, 0},       {"state", ALIGN_LEFT, 0, 1},
    {"reason", ALIGN_LEFT, 6, 0},    {"turns", ALIGN_RIGHT, 0, 0},
    {"tokens", ALIGN_RIGHT, 0, 0},   {"wall s", ALIGN_RIGHT, 0, 0},
    {"tokens/s", ALIGN_RIGHT, 0, 0},
};

static void conversation_row(struct page *page, const struct group *group)
{
    page_cell_text(page, PEN_PLAIN, group->conversation.text);
    page_cell_text(page, PEN_PLAIN, group->state);
    page_cell_text(page, PEN_PLAIN, group->reason);
    page_cell_count(page, group->counts.turns);
    page_cell_count(page, group->counts.tokens_generated);
    page_cell_number(page, group_wall_ms(group) / 1000);
    page_cell_number(page, group_rate(group, group->counts.tokens_generated));
}

void section_conversations(const struct report *report, const struct report_wish *wish,
                           struct page *page)
{
    const struct tally *tally = report->tally;
    size_t shown = shown_of(group_table_count(tally->conversations), wish);

    page_section(page, "Conversations");
    page_table(page, conversation_columns,
               sizeof conversation_columns / sizeof *conversation_columns);
    for (size_t i = 0; i < shown; i++)
        conversation_row(page, group_table_at(tally->conversations, i));
    section_rest(page, (size_t)tally->conversation_count, shown,
                 group_table_count(tally->conversations));
}
