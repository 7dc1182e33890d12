#include "cmd/step.h"

#include <stdlib.h>

#include "cmd/state.h"

int step_init(struct step *step)
{
    buffer_init(&step->packets, STATE_LIMIT);
    return round_init(&step->round);
}

static void drop_moves(struct step *step)
{
    free(step->moves);
    step->moves = NULL;
    step->n_moves = 0;
}

void step_release(struct step *step)
{
    round_release(&step->round);
    buffer_release(&step->packets);
    drop_moves(step);
}

void step_clear(struct step *step)
{
    round_clear(&step->round);
    buffer_clear(&step->packets);
    drop_moves(step);
    step->filled = false;
}
