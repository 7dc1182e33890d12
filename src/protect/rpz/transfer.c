#include "protect/rpz/transfer.h"

void transfer_begin(struct transfer *t, const struct reply_head *head)
{
    t->head = *head;
    t->records = t->bytes = 0;
    t->more = zone_walk_next(&t->walk, &t->next);
}

int transfer_message(struct transfer *t, uint8_t *to, size_t room, int64_t now_s)
{
    struct reply reply;
    if (!t->more)
        return 0;
    reply_begin(&reply, &t->head, to, room < TRANSFER_MESSAGE_MAX ? room : TRANSFER_MESSAGE_MAX);
    while (t->more && reply_put(&reply, SECTION_ANSWER, &t->next))
        t->more = zone_walk_next(&t->walk, &t->next);
    t->records += reply.n[SECTION_ANSWER];
    size_t len = reply_end(&reply, now_s);
    t->bytes += len;
    return len ? (int)len : -1;
}

void transfer_end(struct transfer *t)
{
    zone_walk_close(&t->walk);
    t->more = false;
}
