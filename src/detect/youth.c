#include "detect/youth.h"

double youth(const struct scene *scene, uint32_t first_s, const struct profile *p)
{
    int64_t began_s = (int64_t)scene_network(scene)->first * STEP_S;
    double days = (double)(step_end_s(scene_step(scene)) - first_s) / 86400;
    if (days >= YOUTH_FADED_DAYS || p->broad_days >= YOUTH_BROAD_DAYS)
        return 0;
    double young = days <= YOUTH_FRESH_DAYS ? 1 : 1 - (days - YOUTH_FRESH_DAYS) / (YOUTH_FADED_DAYS - YOUTH_FRESH_DAYS);
    return first_s < began_s + YOUTH_LEARNING_DAYS * 86400 ? young / 2 : young;
}

bool youth_is_news(const struct scene *scene, uint32_t first_s, const struct profile *p)
{
    return youth(scene, first_s, p) > 0.5;
}
