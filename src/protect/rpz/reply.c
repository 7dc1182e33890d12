#include "protect/rpz/reply.h"

enum { OPT_LEN = 11, UDP_ROOM = 1232 };

struct reply_head reply_head(const struct request *request)
{
    struct reply_head h = { .id = request->id, .has = request->has & (REQUEST_EDNS | REQUEST_DNSSEC_OK) };
    h.flags = (uint16_t)(DNS_QR | request->opcode << 11 | (request->recursion_desired ? DNS_RD : 0));
    h.question_len = request->question.len;
    if (h.question_len)
        memcpy(h.question, request->question.ptr, h.question_len);
    return h;
}

void reply_begin(struct reply *r, struct reply_head *head, uint8_t *bytes, size_t room)
{
    size_t kept = (head->has & REQUEST_EDNS ? OPT_LEN : 0) + (head->is_signed ? tsig_room(&head->tsig) : 0);
    *r = (struct reply){ .head = head, .bytes = bytes, .len = REQUEST_HEADER + head->question_len, .room = room > kept ? room - kept : 0 };
    memcpy(bytes + REQUEST_HEADER, head->question, head->question_len);
}

static void put_pointer(uint8_t *to, size_t at)
{
    put_be16(to, (uint16_t)(0xc000 | at));
}

bool reply_put(struct reply *r, enum dns_section section, const struct zone_record *record)
{
    size_t star = record->wild ? 2 : 0, len = star + record->owner.len + 2 + record->rest.len;
    uint8_t *to = r->bytes + r->len;
    if (r->len + len > r->room)
        return false;
    if (star)
        memcpy(to, "\1*", 2);
    short_copy(to + star, record->owner.ptr, record->owner.len);
    to += star + record->owner.len;
    put_pointer(to, REQUEST_HEADER + r->head->origin_at);
    short_copy(to + 2, record->rest.ptr, record->rest.len);
    r->len += len;
    r->n[section]++;
    return true;
}

bool reply_put_at_question(struct reply *r, enum dns_section section, struct slice rest)
{
    if (r->len + 2 + rest.len > r->room)
        return false;
    put_pointer(r->bytes + r->len, REQUEST_HEADER);
    memcpy(r->bytes + r->len + 2, rest.ptr, rest.len);
    r->len += 2 + rest.len;
    r->n[section]++;
    return true;
}

static void put_opt(struct reply *r)
{
    uint8_t *to = r->bytes + r->len;
    to[0] = 0;
    put_be16(to + 1, TYPE_OPT);
    put_be16(to + 3, UDP_ROOM);
    to[5] = (uint8_t)(r->head->rcode >> 4);
    to[6] = 0;
    put_be16(to + 7, r->head->has & REQUEST_DNSSEC_OK ? 0x8000 : 0);
    put_be16(to + 9, 0);
    r->len += OPT_LEN;
    r->n[SECTION_ADDITIONAL]++;
}

size_t reply_end(struct reply *r, int64_t now_s)
{
    if (r->head->has & REQUEST_EDNS)
        put_opt(r);
    put_be16(r->bytes, r->head->id);
    put_be16(r->bytes + 2, (uint16_t)(r->head->flags | (r->head->rcode & 15)));
    put_be16(r->bytes + 4, r->head->question_len != 0);
    for (unsigned i = 0; i < 3; i++)
        put_be16(r->bytes + 6 + 2 * i, r->n[i]);
    return r->head->is_signed ? tsig_sign(&r->head->tsig, r->bytes, r->len, now_s) : r->len;
}
