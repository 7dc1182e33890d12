/* Lists are split on first use: the process has one thread then (simulate.h). */
#include "simulate/words.h"

#include <string.h>

enum { WORDS_MAX = 512, BYTES_MAX = 4096 };

static const char *const lists[WORDS_LISTS] = {
    [WORDS_ENGLISH] =
        "able acorn agent air alpha amber anchor angle apple arch arrow ash atlas autumn away back bake bay beach bear "
        "beat bell berry best big bird black blue board boat bold book boot box brave bread breeze brick bridge bright "
        "brook brown build bull burst camp canvas card care cargo castle cat cedar chain chalk chart chase cherry city "
        "clay clean clear cliff cloud clover coach coast cobalt code coin cold comet cook copper coral core corner craft "
        "crane creek crest cross crow crown crystal cube dance dark dash dawn day deal deep deer delta desk dew diamond "
        "dog door dot dove dragon dream drift drop dune eagle early earth east easy echo edge elm ember engine ever eye "
        "fair falcon fall far farm fast feather fern field fig fire first fish five flag flame flash fleet flint float "
        "flow flower fly focus forest forge fort fox free fresh friend frog frost fruit full garden gate gear gem giant "
        "glass globe glow go gold good grace grain grand grape grass gray great green grid grove guide gulf hand happy "
        "harbor hare hat hawk hazel heart herb hero high hill hive holly home honey hood horizon horse hot house hub ice "
        "idea inn iris iron island ivory ivy jade jet joy jump junction juniper just key kind king kite lab lady lake "
        "lamp land lane lark laser last laurel lava leaf lemon level life light lily lime line link lion little live "
        "log long loop lotus love lucky lunar magic main maple marble mark market mars marsh mask master max meadow "
        "melon mercury mesa metro mid mill mind mint mirror mist modern moon moss motion mountain mouse muse music nest "
        "net never new next night nine noble north nova oak oasis ocean olive one onyx open opal orange orbit orchid otter "
        "owl ox pacific page paint palm panda paper park path pay peach peak pearl pebble pepper perfect phoenix photo "
        "pilot pine pink pixel planet plum point polar pond pop port prime pulse pure purple quartz queen quick quiet "
        "rabbit rain rapid raven real red reef ridge ring rise river road robin rock rocket root rose royal ruby run rush "
        "rye safe sage sail salt sand scale sea seed seven shade shadow shark sharp shell shine ship shore silk silver "
        "simple six sky slate smart smile smoke snow soft solar solid sonic south spark speed spice spring square stag "
        "star steel stem stone storm story stream street strong sugar summer summit sun super swan sweet swift table tall "
        "tango teal ten terra thorn thunder tide tiger timber tin top torch tower trail tree tri true tulip twin two ultra "
        "union urban valley vector velvet venture vibe view villa vine violet vista vital wave way west whale wheel white "
        "wild wind wing winter wise wolf wonder wood world yard year yellow young zebra zen zenith zone",
    [WORDS_TRADE] =
        "shop store online group tech media studio digital design lab systems solutions consulting travel hotel news blog "
        "web net app soft data cloud host games play music film photo art books school college health clinic dental care "
        "pharma auto motors parts rent homes realty build tools garden pets foods kitchen cafe coffee wine bar sports fit "
        "yoga bike outdoor fashion style jewelry beauty kids toys gifts print market trade invest capital finance bank "
        "insurance legal law tax jobs work hr energy solar power water green logistics cargo express delivery marketing ads "
        "seo agency events wedding church club union forum wiki docs mail chat social video tv radio live stream stats",
    [WORDS_PINYIN] =
        "bai bang bao bei ben bi bian bo cai can cang chang chao chen cheng chi chong chu chuan da dai dan dao de deng di "
        "dian ding dong dou du duo fa fan fang fei feng fu gang gao ge gong gu guan guang guo hai han hao he hong hou hu "
        "hua huan huang hui huo ji jia jian jiang jiao jie jin jing jiu ju kai kang ke kuai lan lang lao le li lian liang "
        "ling liu long lu luo ma man mao mei meng mi ming mu nan ning niu pin ping pu qi qian qiang qiao qing qiu quan ren "
        "rong ru shan shang shao sheng shi shou shu shuang shui si song su sun tai tang tao teng tian tie tong tu wan wang "
        "wei wen wu xi xia xian xiang xiao xin xing xiu xu xue ya yan yang yao ye yi yin ying yong you yu yuan yue yun zai "
        "zhang zhao zhen zheng zhi zhong zhou zhu zhuang zi zong zuo",
    [WORDS_ROMANCE] =
        "al ama an ar bel bello ben bon ca cal cam can cara casa cel cer ciel cola con cor cre da del dor dona el en es "
        "fal fer fino flor fon gal gar gra gusto la lan lar le leo li lin lo lune ma mar mer mi mon mont na nal no nova or "
        "pa pan par pe per pla po pri ra ran re ri ro rosa sa san sol ta tal te ter ti tor tra tura va val ven ver vi via vida "
        "villa vino vo za zo",
    [WORDS_GERMAN] =
        "acker alt auf bach bad bahn bau baum berg blatt blau brand brot bruck burg dach dorf druck eck eis eisen fach "
        "feld fels fest feuer finder frei frisch garten gast geld gold grund gut haar haus heim heinz herz hof holz horn "
        "hund jagd jung kamp kauf kern kind klang klein koch korn kraft kreis kunst lager land lauf leben leder licht luft "
        "markt mann meister mohn nacht neu nord ober ost rad rat raum recht reise ring rot sand schloss schmidt schnell "
        "schule schwarz see sohn sonne spiel stadt stahl stein stern stoff strom tag tal technik tier tisch tor wagen wald "
        "wand wasser weg wein weiss welt werk west wind winter wohn zeit zentrum zimmer",
    [WORDS_SLAVIC] =
        "bor bog bel biz bud chas cher dom dob dor drug dvor gor gorod grad ivan kam kino kniga kol kon kor kras krov kub "
        "kvart lad les lit lub mag mas med mir mob mosk nik nov novo obr ok oksa pol pod pro rad razvit remont rod ros rus "
        "sam sever sib sila slav sov spets stal stroy svet tek tep torg tour ural ved ver vest vid vo vol yug zavod zem "
        "zhel zna zov",
    [WORDS_JAPANESE] =
        "a aka aki ama ao asa chi dai e fu fuji ha hachi hana haru hashi hi hiro ho ichi ike ina ishi ito ka kami kawa "
        "kaze ki kita ko koto ku kuma kuro ma machi maru matsu mi mizu mo mori mura na naka nami ni nishi no o oka saka "
        "saki saku sato shi shima shin shiro so sora su suzu ta taka take taki tani to toku tomo tora tori tsu tsuki ume "
        "uchi wa yama yo yoshi yu yuki",
    [WORDS_BRAND] =
        "ad ak al an ar av az ba be bi bo bra bri ca ci clo co cra cri da de di do dra du el en er ex fi flo fo fra fy ga "
        "ge gi glo go gra hi ho hy ia ix ja jo ka ki kla ko kra la le li lo lu ly ma me mi mo mu na ne ni no nu o on op or "
        "ora pa pe pi pla plu po pra pri qua que qui ra re ri ro ru sa se si sky sla so spo sta sto su ta te ti to tra tri "
        "tu ty u ul un va ve vi vo vu wa we wi xa xe xi ya yo za ze zi zo zu",
};

static struct {
    char bytes[BYTES_MAX];
    uint16_t at[WORDS_MAX];
    uint32_t n;
} split[WORDS_LISTS];

static void split_list(enum word_list list)
{
    size_t len = strlen(lists[list]);
    memcpy(split[list].bytes, lists[list], len);
    for (size_t i = 0, start = 0; i <= len && split[list].n < WORDS_MAX; i++)
        if (split[list].bytes[i] == ' ' || split[list].bytes[i] == '\0') {
            split[list].bytes[i] = '\0';
            split[list].at[split[list].n++] = (uint16_t)start;
            start = i + 1;
        }
}

const char *words_nth(enum word_list list, uint32_t n)
{
    if (split[list].n == 0)
        split_list(list);
    return split[list].bytes + split[list].at[n % split[list].n];
}
