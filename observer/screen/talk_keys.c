/* talk_keys.c - moving about in a talk and in its pager. See talk_inside.h. */
#include "observer/screen/talk_inside.h"

enum { SIDE_STEP = 8 };

bool talk_keys_pager(struct talk_screen *screen, enum action action)
{
    struct talk_pager *pager = &screen->pager;
    int page = pager->height > 1 ? (int)pager->height - 1 : 1;

    switch (action) {
    case ACTION_UP:
        talk_pager_scroll(pager, -1);
        return true;
    case ACTION_DOWN:
        talk_pager_scroll(pager, 1);
        return true;
    case ACTION_PAGE_UP:
        talk_pager_scroll(pager, -page);
        return true;
    case ACTION_PAGE_DOWN:
        talk_pager_scroll(pager, page);
        return true;
    case ACTION_HALF_UP:
        talk_pager_scroll(pager, -(page + 1) / 2);
        return true;
    case ACTION_HALF_DOWN:
        talk_pager_scroll(pager, (page + 1) / 2);
        return true;
    case ACTION_TOP:
    case ACTION_BOTTOM:
        talk_pager_to_end(pager, action == ACTION_BOTTOM);
        return true;
    case ACTION_BACK:
    case ACTION_CLEAR:
    case ACTION_OPEN:
        talk_pager_close(pager);
        return true;
    default:
        return false;
    }
}

bool talk_keys_move(struct talk_screen *screen, enum action action)
{
    struct talk_view *view = &screen->view;
    int page = view->height > 1 ? (int)view->height - 1 : 1;

    switch (action) {
    case ACTION_UP:
        talk_view_move(view, -1);
        return true;
    case ACTION_DOWN:
        talk_view_move(view, 1);
        return true;
    case ACTION_LEFT:
        talk_view_sideways(view, -SIDE_STEP);
        return true;
    case ACTION_RIGHT:
        talk_view_sideways(view, SIDE_STEP);
        return true;
    case ACTION_PAGE_UP:
        talk_view_scroll(view, -page);
        return true;
    case ACTION_PAGE_DOWN:
        talk_view_scroll(view, page);
        return true;
    case ACTION_HALF_UP:
        talk_view_scroll(view, -(page + 1) / 2);
        return true;
    case ACTION_HALF_DOWN:
        talk_view_scroll(view, (page + 1) / 2);
        return true;
    case ACTION_TOP:
        talk_view_to_top(view);
        return true;
    case ACTION_BOTTOM:
        talk_view_follow(view, true);
        return true;
    default:
        return false;
    }
}
