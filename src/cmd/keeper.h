/* keeper: who writes while the server answers: runs the life cycle whenever the knowledge file changed or something is due, looks at
 * infrastructure, and keeps receipts.
 *
 * Infrastructure is looked for each hour, and ten minutes after the last time when something else is published; whether that which is published
 * still holds, whenever something was withdrawn or allowed.
 *
 * Threads and handles of their own: waiting for the file's lock, which analysis holds at times, must not hold up answers, nor a search for
 * infrastructure, which may take minutes of a large database, what analysis and operators decide. What goes wrong is
 * told once, and tried again. keeper_receive copies into a queue and may be called from one other thread; receipts that find it full are counted.
 */
#ifndef DNSMON_CMD_KEEPER_H
#define DNSMON_CMD_KEEPER_H

#include "cmd/protecting.h"
#include "knowledge/receipt.h"

enum { KEEPER_QUEUE = 1024 };

struct keeper;

/* `protecting` is open for writing, and the keeper's from now until keeper_stop. */
int keeper_start(struct keeper **ret, struct protecting *protecting, struct fault *why) MUST_CHECK;

/* Writes what is in the queue, then ends. */
void keeper_stop(struct keeper **k);

void keeper_receive(struct keeper *k, const struct receipt *r);
uint64_t keeper_lost(const struct keeper *k); /* receipts */

#endif
