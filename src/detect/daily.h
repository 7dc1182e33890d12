/* daily: does a name follow the network's day, or is it asked for at all hours alike?
 *
 * Two hypotheses about how the clients that asked for it spread over the hours of the view, given how many there were:
 * people   in proportion to how many registered domains the whole network asked for in each hour
 * flat     every hour alike
 * Both are multinomial; counts are over-dispersed (a person who comes stays), so the log-likelihood ratio is divided by
 * Pearson's X^2 over its degrees of freedom under the hypothesis that fits better, at least 1 (quasi-likelihood: McCullagh and
 * Nelder, Generalized Linear Models, 1989, 4.5). Different domains an hour stand for people better than queries do:
 * machines ask for the same names over and over.
 *
 * Hours in which the network shows nothing are left out: nobody was watching. Pure; any thread; linear in the hours of the view.
 */
#ifndef DNSMON_DETECT_DAILY_H
#define DNSMON_DETECT_DAILY_H

#include "detect/scene.h"
#include "detect/subject.h"

enum {
    DAILY_HOURS = 20,  /* fewer are no day: nothing is said */
    DAILY_CLIENTS = 24 /* and fewer clients, summed over hours */
};

struct daily {
    double flat;          /* nats for flat, below zero for people; 0 when nothing can be said */
    unsigned hours;       /* compared */
    unsigned asked;       /* of these, in which it was asked for */
    uint64_t clients;     /* summed over hours */
    double quiet;         /* share of `clients` in quiet hours: those in the lowest quarter of the network's range */
    double quiet_network; /* share of such hours, what flat expects; 0 when the network has no quiet ones, or hardly a day is known */
};

/* Log-likelihood ratio of what falls into quiet hours alone: as many as there are, against a tenth, of people who sleep.
 * It needs fewer clients than `flat` and asks only for the nights. 0 when nothing can be said. */
double daily_nights(const struct daily *d);

struct daily daily_compare(const struct subject *s, const struct network *network);

#endif
