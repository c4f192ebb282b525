#include <float.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>

#include "format/data.h"
#include "runtime/dataset_impl.h"
#include "scratch.h"

static char said[1024];

static void hear(void *user, tonnx_log_level level, const char *line)
{
    (void)user, (void)level;
    snprintf(said, sizeof said, "%s", line);
}

static tonnx_status load(tonnx_dataset **out, const char *text, const char *target, size_t limit)
{
    tonnx_data_options options = TONNX_DATA_OPTIONS_DEFAULT;
    options.limit = limit;
    options.log.say = hear;
    return tonnx_dataset_load(out, scratch_text("t.csv", text), target, &options);
}

/* Loads a table that is good, freed by the caller. */
static tonnx_dataset *table(const char *text, const char *target)
{
    tonnx_dataset *data = NULL;
    ck_ok(load(&data, text, target, 0));
    return data;
}

/* "samples features kind width classes: values | targets | names" of a table: all there is to it, as text. */
static const char *shown(const char *text, const char *target)
{
    static char out[1024];
    tonnx_dataset *data = table(text, target);
    int at = snprintf(out, sizeof out, "%zux%zu:", data->samples, data->features);
    for (size_t i = 0; i < data->samples * data->features; i++)
        at += snprintf(out + at, sizeof out - (size_t)at, " %g", (double)data->x[i]);
    for (size_t i = 0; i < data->samples && data->classes; i++)
        at += snprintf(out + at, sizeof out - (size_t)at, " c%d", data->classes[i]);
    for (size_t i = 0; i < data->samples && data->targets; i++)
        at += snprintf(out + at, sizeof out - (size_t)at, " t%g", (double)data->targets[i]);
    for (size_t i = 0; data->class_names && i < data->class_count; i++)
        at += snprintf(out + at, sizeof out - (size_t)at, " %s", data->class_names[i]);
    for (size_t i = 0; data->column_names && i < data->features; i++)
        at += snprintf(out + at, sizeof out - (size_t)at, " [%s]", data->column_names[i]);
    if (*data->target_name) snprintf(out + at, sizeof out - (size_t)at, " <%s>", data->target_name);
    tonnx_dataset_free(data);
    return out;
}

START_TEST(tables_mean_what_they_say)
{
    static const struct row {
        const char *text, *target, *shown;
    } rows[] = {
        { "1,2\n3,4\n", NULL, "2x2: 1 2 3 4" },
        { "a,b\n3,4\n", NULL, "1x2: 3 4 [a] [b]" },
        { "\xef\xbb\xbf"
          "a,b\r\n3,4\r\n",
          NULL, "1x2: 3 4 [a] [b]" },
        { "a,b\r3,4\r5,6", NULL, "2x2: 3 4 5 6 [a] [b]" },
        { "a\tb\n3\t4\n", NULL, "1x2: 3 4 [a] [b]" },
        { "a;b\n3;4\n", NULL, "1x2: 3 4 [a] [b]" },
        { "a|b\n3|4\n", NULL, "1x2: 3 4 [a] [b]" },
        { "\"x, y\"\tb\n3\t4\n", NULL, "1x2: 3 4 [x, y] [b]" },
        { "7\n8\n\n9\n\n", NULL, "3x1: 7 8 9" },
        { " a , b \n 3 ,\t4\n", NULL, "1x2: 3 4 [a] [b]" },
        { "\"a \"\"q\"\"\",\"b\nc\"\n\"3\",4\n", NULL, "1x2: 3 4 [a \"q\"] [b\nc]" },
        { "+1,-2.5e-3,.5,5.,1E2\n0,0,0,0,0\n", NULL, "2x5: 1 -0.0025 0.5 5 100 0 0 0 0 0" },
        { "a,b,k\n1,2,dog\n3,4,cat\n", "k", "2x2: 1 2 3 4 c1 c0 cat dog [a] [b] <k>" },
        { "k,a\ndog,1\ncat,2\n", "#1", "2x1: 1 2 c1 c0 cat dog [a] <k>" },
        { "1,dog\n2,cat\n3,dog\n", "#2", "3x1: 1 2 3 c1 c0 c1 cat dog" },
        { "a,k\n1,x\n2,7\n", "k", "2x1: 1 2 c1 c0 7 x [a] <k>" }, /* words first: 7 is a word too */
        { "a,k\n1,2\n2,0\n", "k", "2x1: 1 2 c2 c0 [a] <k>" },     /* whole numbers: classes */
        { "a,k\n1,2.0\n2,0e0\n", "k", "2x1: 1 2 c2 c0 [a] <k>" }, /* as numpy.savetxt spells them */
        { "a,k\n1,2\n2,0.5\n", "k", "2x1: 1 2 t2 t0.5 [a] <k>" },
        { "a,k\n1,2\n2,-1\n", "k", "2x1: 1 2 t2 t-1 [a] <k>" },
        { "a,k\n1,2\n2,5e6\n", "k", "2x1: 1 2 t2 t5e+06 [a] <k>" }, /* no one has so many classes */
        { "0,1,2,k\n5,6,7,x\n8,9,1,y\n", NULL, NULL },              /* text that is no target: refused below */
        { "0,1,2,k\n5,6,7,x\n8,9,1,y\n", "k", "2x3: 5 6 7 8 9 1 c0 c1 x y [0] [1] [2] <k>" },
        { "0,1,2\n5,6,7\n", NULL, "1x3: 5 6 7 [0] [1] [2]" }, /* numbers that count the columns are names */
        { "0,1,2\n0,1,2\n", NULL, "2x3: 0 1 2 0 1 2" },
        { "0,1\n5,6\n", NULL, "2x2: 0 1 5 6" },
        { "a.1,5\n1,2\n", "5", "1x1: 1 c2 [a.1] <5>" },
        { "3,5\n1,2\n", "5", "1x1: 1 c2 [3] <5>" }, /* the target's name makes it a header */
        { ",a\n0,5\n1,6\n", NULL, "2x2: 0 5 1 6 [] [a]" },
        { "#3,b\n1,2\n", "b", "1x1: 1 c2 [#3] <b>" },
        { "a,b\nTrue,FALSE\nfalse,2\n", NULL, "2x2: 1 0 0 2 [a] [b]" }, /* as pandas writes them */
        { "a,k\n1,True\n2,False\n", "k", "2x1: 1 2 c1 c0 False True [a] <k>" },
        { "1.0e+00 -2\n  3   4 \n5 6", NULL, "3x2: 1 -2 3 4 5 6" }, /* as numpy.savetxt does, and Fortran */
        { "1 2 0\r\n3 4 1\r\n", "#3", "2x2: 1 2 3 4 c0 c1" },
        { "1 2\n", NULL, "1x2: 1 2" },
        { "# a b\n1 2\n3 4\n", NULL, "2x2: 1 2 3 4 [a] [b]" }, /* numpy.savetxt's header */
        { "a b\n1 2\n", "b", "1x1: 1 c2 [a] <b>" },
        { "\n1;2\n3;4\n", NULL, "2x2: 1 2 3 4" }, /* the first line that says something is the one to look at */
        { "  \r\n\na\tb\n1\t2\n", NULL, "1x2: 1 2 [a] [b]" },
        { "\n1 2\n  \n3 4\n ", NULL, "2x2: 1 2 3 4" },
        { "1e-99999999,1e00001\n-0,2e-00055\n", NULL, "2x2: 0 10 -0 0" },
        { "1,2\n3,4\n1e00001,2\n", NULL, "3x2: 1 2 3 4 10 2" }, /* an exponent of five digits, after plain rows */
        { "1;2\n", NULL, "1x2: 1 2" },
        { "a,k\n1,5000000\n2,0\n", "k", "2x1: 1 2 t5e+06 t0 [a] <k>" },
        { "0,1,2\n0,1,x\n1,1,y\n", "#3", "2x2: 0 1 1 1 c0 c1 x y [0] [1] <2>" }, /* only the first line counts up */
        { "a,k\n1,the bird\n2,the \"bird\n3,the bird\n", "k", "3x1: 1 2 3 c1 c0 c1 the \"bird the bird [a] <k>" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].shown) ck_assert_str_eq(shown(rows[i].text, rows[i].target), rows[i].shown);
}
END_TEST

START_TEST(wrong_tables_are_refused_with_line_and_column)
{
    static const struct row {
        const char *text, *target, *message;
    } rows[] = {
        { "", NULL, "t.csv: is empty" },
        { "\n\n", NULL, "t.csv: no samples" },
        { "a,b\n", NULL, "only a header" },
        { "a,b\n1,x\n", NULL, "t.csv:2: column 2 'b': 'x' is not a number" },
        { "1,2\n3,x\n", NULL, "t.csv:2: column 2: 'x'" },
        { "x,2\n3,4\n", NULL, "t.csv:1: column 1: 'x'" },
        { "a,b\n1,\n", NULL, "t.csv:2: column 2 'b': '' is an empty cell" },
        { "a,b\n1,NaN\n", NULL, "t.csv:2: column 2 'b': 'NaN' is a missing value; fill it in, or drop the row" },
        { "a,b\n1,2\n1,NA\n", NULL, "t.csv:3: column 2 'b': 'NA' is a missing value" },
        { "a,k\n1,2\n?,2\n", "k", "t.csv:3: column 1 'a': '?' is a missing value" },
        { "a,k\n1,2\n1,null\n", "k", "t.csv:3: column 2 'k': 'null' is a missing value" },
        { "a,b\n1,-inf\n", NULL, "'-inf' is not a finite" },
        { "1,nan\n1,2\n", NULL, "t.csv:1: column 2: 'nan'" },
        { "a,b\n1,1e999\n", NULL, "'1e999' is beyond" },
        { "a,b\n1,3.5e38\n", NULL, "'3.5e38' is beyond" },
        { "a,b\n1,0x10\n", NULL, "'0x10' is not a number" },
        { "a,b\n1,1e\n", NULL, "'1e' is not a number" },
        { "a,b\n1,1.2.3\n", NULL, "'1.2.3' is not a number" },
        { "a,b\n1,TrUe\n", NULL, "'TrUe' is not a number" },
        { "1 2\n3 4 5\n", NULL, "column 1 '1 2': '3 4 5' is not a number" }, /* no table of blanks, then */
        { "1 2\n3 4\n5 6 7\n", NULL, "t.csv:3: 3 cells, but line 1 has 2" },
        { "1 2\n3 4\n5 x\n", NULL, "t.csv:3: column 2: 'x'" },
        { "a,b\n1,.\n", NULL, "'.' is not a number" },
        { "a,b\n1,2\n1\n", NULL, "t.csv:3: 1 cells, but line 1 has 2" },
        { "a,b\n1\n1,2\n", NULL, "t.csv:2: 1 cells, but line 1 has 2" },
        { "a\n1\n\"\"\n2\n", NULL, "t.csv:3: column 1 'a': '' is an empty cell" }, /* pandas' missing value, no blank line */
        { "a,b\n\n1,2\n1,2,3\n", NULL, "t.csv:4: 3 cells" },
        { "a,b\n1,\"2\n3,4\n", NULL, "t.csv:2: a quote opens" },
        { "a,b\n1,\"2\"3\n", NULL, "t.csv:2: text follows a closing quote" },
        { "\xff\xfe"
          "a,b\n",
          NULL, "UTF-16" },
        { "\xfe\xff"
          "a,b\n",
          NULL, "UTF-16" },
        { "a,b\n1,2\n", "c", "no column 'c'" },
        { "a,b\n1,2\n", "#3", "no column '#3': the table has columns #1 to #2" },
        { "a,b\n1,2\n", "#0", "no column '#0'" },
        { "a,b\n1,2\n", "#99999999999999999999", "no column '#99999999999999999999'" },
        { "a,b\n1,2\n", "#1x", "no column '#1x'" },
        { "1,2\n1,2\n", "c", "has no header; say '#2'" },
        { "a,a\n1,2\n", "a", "columns 1 and 2 are both called 'a'" },
        { "a\n1\n", "a", "no features" },
        { "a,k\n1,2\n1,x\n", "k", "t.csv:3: column 2 'k': 'x' is not a number, but the target began with one" },
        { "a,k\n1,x\n1,\n", "k", "t.csv:3: column 2 'k': '' is an empty cell" },
        { "a,k\n1,x\n1,nan\n", "k", "t.csv:3: column 2 'k': 'nan'" },
        { "a,k\n1,x\n1,1e39\n2,", "k", "empty cell" },
        { "1,0,3\n1,0,3\n1e39,0,3\n", "#2", "t.csv:3: column 1: '1e39' is beyond" },
        { "1,0,3\n1,0,3\n1,0,1e39\n", "#2", "t.csv:3: column 3: '1e39' is beyond" },
        { "1,2\n1,1e99999999\n", NULL, "t.csv:2: column 2: '1e99999999' is beyond" },
        { "a,b\n1,2\n", "#", "no column '#'" },
        { "a,b\n1,2\n", "#x", "no column '#x'" },
        { "a1,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,the first twenty of them and no more,the second "
          "twenty of them,the third twenty of them,last\n1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0\n",
          "none", " …" },
        { "a,k\n1,2\n1,1e39\n", "k", "t.csv:3: column 2 'k': '1e39' is beyond" },
        { "1;2;3\n4;5\n", NULL, "t.csv:2: 2 cells, but line 1 has 3" }, /* more of ; than of , is enough */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        tonnx_dataset *data = (tonnx_dataset *)&rows;
        ck_fails(load(&data, rows[i].text, rows[i].target, 0), TONNX_BAD_DATA, rows[i].message);
        ck_assert_ptr_null(data);
        ck_assert_msg(strstr(tonnx_last_message(), "t.csv"), "%s", tonnx_last_message());
    }
}
END_TEST

START_TEST(nul_bytes_are_refused_wherever_they_stand)
{
    static const char text[] = "a,\"b\"\n1,2\n3,\"4\"\n";
    char bad[sizeof text];
    for (size_t at = 0; at + 1 < sizeof text; at++) {
        tonnx_dataset *data = NULL;
        memcpy(bad, text, sizeof text);
        bad[at] = '\0';
        const char *path = scratch_write("nul.csv", bad, sizeof text - 1);
        ck_assert_int_eq(tonnx_dataset_load(&data, path, NULL, NULL), TONNX_BAD_DATA);
    }
}
END_TEST

/* Every float prints and reads back; decimals of all lengths round as strtod rounds them. */
START_TEST(numbers_are_rounded_correctly)
{
    uint64_t state = 88172645463325252u;
    char text[64 * 2000 + 8] = "1\n";
    double wanted[2000];
    size_t at = 2;
    for (size_t i = 0; i < 2000; i++) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17; /* xorshift64 */
        const double value = (double)(int64_t)state * pow(10, (double)(state % 60) - 50.0);
        const size_t start = at;
        at += (size_t)snprintf(text + at, 60, "%.*g", 1 + (int)(state >> 8) % 25 * (int)(state >> 16 & 1), value);
        wanted[i] = strtod(text + start, NULL);
        text[at++] = '\n';
    }
    text[at] = '\0';
    tonnx_dataset *data = table(text, NULL);
    for (size_t i = 0; i < 2000; i++) ck_assert(data->x[i + 1] == (float)wanted[i]);
    tonnx_dataset_free(data);
}
END_TEST

/* Zeros behind the point count, however many they are, and an exponent may take them back. */
START_TEST(far_zeros_and_far_exponents)
{
    static const struct row {
        int zeros, exponent;
        float value;
    } rows[] = { { 1100, 1001, 0.0f }, { 1100, 1101, 1.0f }, { 20000, 20002, 10.0f }, { 900, 890, 1e-11f } };
    static char text[30000];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        sprintf(text, "1\n0.%0*d1e%d\n", rows[i].zeros, 0, rows[i].exponent);
        tonnx_dataset *data = table(text, NULL);
        ck_assert(data->x[1] == rows[i].value);
        tonnx_dataset_free(data);
    }
}
END_TEST

START_TEST(a_decimal_comma_locale_changes_nothing)
{
    if (!setlocale(LC_ALL, "de_DE.UTF-8")) return;
    ck_assert_str_eq(shown("1.5,0.1234567890123456789\n2,3\n", NULL), "2x2: 1,5 0,123457 2 3");
}
END_TEST

/* 4e40 takes few digits and no long exponent, so it comes the fast way, and is no float all the same. */
#define LARGE "4000000000000000000e22"

START_TEST(what_comes_the_fast_way_is_bounded_too)
{
    static const char *const wanted[] = { "a", "c" };
    static const struct row {
        const char *text, *target, *message;
    } rows[] = {
        { "1,2,3\n1,2,3\n" LARGE ",2,3\n", NULL, "t.csv:3: column 1: '" LARGE "' is beyond the range of float32" },
        { "1,2,3\n1,2,3\n" LARGE ",2,3\n", "#2", "t.csv:3: column 1: '" LARGE "' is beyond" },
        { "1,2,3\n1,2,3\n1,2," LARGE "\n", "#2", "t.csv:3: column 3: '" LARGE "' is beyond" },
        { "1,2,3\n1,2,3\n1," LARGE ",3\n", "#2", "t.csv:3: column 2: '" LARGE "' is beyond" },
        { "a,id,c\n1,2,3\n" LARGE ",2,3\n", NULL, "t.csv:3: column 1 'a': '" LARGE "' is beyond" },
        { "a,id,c\n1,2,3\n1,2," LARGE "\n", NULL, "t.csv:3: column 3 'c': '" LARGE "' is beyond" },
    };
    tonnx_data_options options = TONNX_DATA_OPTIONS_DEFAULT;
    options.columns = wanted;
    options.column_count = 2;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        tonnx_dataset *data = NULL;
        ck_fails(tonnx_dataset_load(&data, scratch_text("t.csv", rows[i].text), rows[i].target, &options),
                 TONNX_BAD_DATA, rows[i].message);
    }
    tonnx_dataset *data = NULL; /* what is left out may be anything */
    ck_ok(tonnx_dataset_load(&data, scratch_text("t.csv", "a,id,c\n1,2,3\n1," LARGE ",3\n"), NULL, &options));
    ck_assert(data->samples == 2 && data->features == 2 && data->x[3] == 3.0f);
    tonnx_dataset_free(data);
}
END_TEST

/* Longer than what the fast way takes: digits behind the point, and a class's name. */
START_TEST(long_cells_are_read)
{
    char text[4000], *at = text;
    at += sprintf(at, "a,k\n1,dog\n2,dog\n0.");
    for (int i = 0; i < 1200; i++) *at++ = '0';
    at += sprintf(at, "1,");
    char *name = at;
    for (int i = 0; i < 100; i++) *at++ = 'w';
    const size_t length = (size_t)(at - name);
    strcpy(at, "\n");
    tonnx_dataset *data = table(text, "k");
    ck_assert(data->samples == 3 && data->x[2] == 0.0f && data->class_count == 2);
    ck_assert(strlen(data->class_names[1]) == length && !strncmp(data->class_names[1], name, length));
    tonnx_dataset_free(data);
}
END_TEST

static tonnx_status load_words(tonnx_dataset **out, const char *words, tonnx_header header, size_t limit)
{
    tonnx_data_options options = TONNX_DATA_OPTIONS_DEFAULT;
    options.header = header;
    options.limit = limit;
    const char *x = header == TONNX_HEADER_NO ? "1,2\n3,4\n5,6\n" : "a,b\n1,2\n3,4\n5,6\n";
    return tonnx_dataset_load(out, scratch_text("x.csv", x), scratch_text("y.csv", words), &options);
}

/* Is its first line a header? Told, or found out: it is none where its word comes again. */
START_TEST(a_file_of_words_is_a_target)
{
    tonnx_dataset *data = NULL;
    ck_ok(load_words(&data, "b\na\nb\n", TONNX_HEADER_NO, 0));
    ck_assert(data->classes[0] == 1 && data->classes[1] == 0 && data->class_count == 2);
    tonnx_dataset_free(data);
    ck_ok(load_words(&data, "b\na\nb\na\n", TONNX_HEADER_YES, 0));
    ck_assert(data->classes[0] == 0 && data->classes[1] == 1);
    ck_assert_str_eq(data->target_name, "b");
    tonnx_dataset_free(data);
    ck_ok(load_words(&data, "b\na\nb\n", TONNX_HEADER_AUTO, 2));
    ck_assert(data->samples == 2 && data->classes[0] == 1 && data->classes[1] == 0);
    tonnx_dataset_free(data);
    ck_fails(load_words(&data, "1,2\n1,2\n1,x\n", TONNX_HEADER_NO, 0), TONNX_BAD_DATA,
             "y.csv:3: column 2: 'x' is not a number; only the target may be text");
}
END_TEST

/* The columns that a model knows are those of its features; a file of targets has others. */
START_TEST(wanted_columns_are_not_those_of_a_target_file)
{
    static const char *const wanted[] = { "a" };
    tonnx_dataset *data = NULL;
    tonnx_data_options options = TONNX_DATA_OPTIONS_DEFAULT;
    options.columns = wanted;
    options.column_count = 1;
    ck_ok(tonnx_dataset_load(&data, scratch_text("x.csv", "a,b\n1,2\n3,4\n"), scratch_text("y.csv", "k\n0\n1\n"),
                             &options));
    ck_assert(data->features == 1 && data->x[1] == 3.0f && data->classes[1] == 1);
    ck_assert_str_eq(data->target_name, "k");
    tonnx_dataset_free(data);
}
END_TEST

START_TEST(a_limit_keeps_what_the_whole_file_says)
{
    tonnx_dataset *data = NULL;
    ck_ok(load(&data, "a,k\n1,z\n2,b\n3,a\n", "k", 2)); /* the classes are the file's, not the part's */
    ck_assert(data->samples == 2 && data->class_count == 3 && data->classes[0] == 2 && data->classes[1] == 1);
    tonnx_dataset_free(data);
    ck_ok(load(&data, "a,k\n1,2\n2,3\n3,0.5\n", "k", 2)); /* and numbers stay numbers */
    ck_assert(data->samples == 2 && data->target_kind == TONNX_TARGET_NUMBER);
    tonnx_dataset_free(data);
    ck_ok(load(&data, "a,b\n1,2\n2,3\n3,oops\n", NULL, 2)); /* what comes after is not even looked at */
    ck_assert_uint_eq(data->samples, 2);
    tonnx_dataset_free(data);
}
END_TEST

START_TEST(targets_may_be_a_second_table)
{
    tonnx_dataset *data = NULL;
    const char *x = scratch_text("x.csv", "a,b\n1,2\n3,4\n5,6\n");
    ck_ok(tonnx_dataset_load(&data, x, scratch_text("y.csv", "kind\nb\na\nb\n"), NULL));
    ck_assert(data->features == 2 && data->classes[0] == 1 && data->classes[1] == 0);
    ck_assert_str_eq(data->target_name, "kind");
    tonnx_dataset_free(data);
    ck_ok(tonnx_dataset_load(&data, x, scratch_text("y.csv", "b\na\nb\n"), NULL)); /* 'b' comes again: no header */
    ck_assert(data->classes[0] == 1 && data->classes[1] == 0 && data->classes[2] == 1);
    ck_assert_str_eq(data->target_name, "");
    tonnx_dataset_free(data);
    ck_ok(tonnx_dataset_load(&data, x, scratch_text("y.csv", "1,2\n3,4\n5,6\n"), NULL));
    ck_assert(data->target_width == 2 && data->targets[3] == 4.0f && data->target_kind == TONNX_TARGET_NUMBER);
    tonnx_dataset_free(data);
    ck_fails(tonnx_dataset_load(&data, x, scratch_text("y.csv", "1\n2\n"), NULL), TONNX_BAD_DATA, "2 targets");
    ck_fails(tonnx_dataset_load(&data, x, scratch_path("nowhere.npy"), NULL), TONNX_IO_FAILED,
             "nowhere.npy: no such file");
    ck_fails(tonnx_dataset_load(&data, x, "nowhere.npy", NULL), TONNX_IO_FAILED,
             "nowhere.npy: no such file, and no column");
}
END_TEST

START_TEST(a_column_goes_before_a_file_of_its_name)
{
    tonnx_dataset *data = NULL;
    char here[512];
    ck_assert_ptr_nonnull(getcwd(here, sizeof here));
    ck_assert_int_eq(chdir(scratch_folder), 0);
    scratch_text("kind", "5\n6\n");
    ck_ok(tonnx_dataset_load(&data, scratch_text("x.csv", "a,kind\n1,2\n3,4\n"), "kind", NULL));
    ck_assert(data->features == 1 && data->classes[0] == 2);
    tonnx_dataset_free(data);
    ck_ok(tonnx_dataset_load(&data, scratch_text("x.csv", "a,b\n1,2\n3,4\n"), "kind", NULL));
    ck_assert(data->features == 2 && data->classes[0] == 5);
    tonnx_dataset_free(data);
    ck_assert_int_eq(chdir(here), 0);
}
END_TEST

START_TEST(so_many_classes_are_no_target)
{
    char *text = malloc(1 << 20), *at = text + sprintf(text, "a,k\n");
    tonnx_dataset *data = NULL;
    for (unsigned i = 0; i < (1u << 16) + 1; i++) at += sprintf(at, "1,k%x\n", i);
    ck_fails(load(&data, text, "k", 0), TONNX_BAD_DATA, "t.csv:65538: column 2 'k': 'k10000' is one class too many");
    free(text);
}
END_TEST

START_TEST(given_class_names_fix_the_order)
{
    static const char *const names[] = { "dog", "cat", "owl" };
    tonnx_data_options options = TONNX_DATA_OPTIONS_DEFAULT;
    tonnx_dataset *data = NULL;
    options.class_names = names;
    options.class_count = 3;
    ck_ok(tonnx_dataset_load(&data, scratch_text("t.csv", "a,k\n1,cat\n2,dog\n"), "k", &options));
    ck_assert(data->class_count == 3 && data->classes[0] == 1 && data->classes[1] == 0);
    ck_assert_str_eq(data->class_names[2], "owl");
    tonnx_dataset_free(data);
    ck_fails(tonnx_dataset_load(&data, scratch_text("t.csv", "a,k\n1,cat\n2,cow\n"), "k", &options), TONNX_BAD_DATA,
             "t.csv:3: column 2 'k': 'cow' is none of the model's classes");
}
END_TEST

/* Where classes are named by numbers, a number is a name, however it is spelled; else it is an index. */
START_TEST(given_class_names_may_be_numbers)
{
    static const char *const numbers[] = { "-1", "1", "x" }, *const words[] = { "dog", "cat", "owl" };
    tonnx_data_options options = TONNX_DATA_OPTIONS_DEFAULT;
    tonnx_dataset *data = NULL;
    options.class_names = numbers;
    options.class_count = 3;
    ck_ok(tonnx_dataset_load(&data, scratch_text("t.csv", "a,k\n1,1.0\n2,x\n3,-1\n4,+1\n"), "k", &options));
    ck_assert(data->classes[0] == 1 && data->classes[1] == 2 && data->classes[2] == 0 && data->classes[3] == 1);
    tonnx_dataset_free(data);
    ck_fails(tonnx_dataset_load(&data, scratch_text("t.csv", "a,k\n1,0\n2,1\n"), "k", &options), TONNX_BAD_DATA,
             "t.csv:2: column 2 'k': '0' is none of the model's classes");
    options.class_names = words;
    ck_ok(tonnx_dataset_load(&data, scratch_text("t.csv", "a,k\n1,2\n2,0\n"), "k", &options));
    ck_assert(data->classes[0] == 2 && data->classes[1] == 0);
    tonnx_dataset_free(data);
}
END_TEST

/* The second line of a wide table may end behind what is looked at first, 64 KiB, as may the first. */
START_TEST(wide_tables_of_blanks)
{
    enum { WIDEST = 12000 };
    static char text[3 * 7 * WIDEST + 1];
    for (int wide = WIDEST / 3; wide <= WIDEST; wide += WIDEST / 3) {
        size_t at = 0;
        for (int i = 0; i < 3 * wide; i++)
            at += (size_t)sprintf(text + at, "0.%04d%c", i % 10000, (i + 1) % wide ? ' ' : '\n');
        tonnx_dataset *data = table(text, NULL);
        ck_assert(data->samples == 3 && data->features == (size_t)wide);
        tonnx_dataset_free(data);
    }
}
END_TEST

START_TEST(numbers_where_numbers_are_wanted)
{
    tonnx_data_options options = TONNX_DATA_OPTIONS_DEFAULT;
    tonnx_dataset *data = NULL;
    options.classes = false;
    ck_ok(tonnx_dataset_load(&data, scratch_text("t.csv", "a,k\n1,2\n2,0\n"), "k", &options));
    ck_assert(data->target_kind == TONNX_TARGET_NUMBER && data->targets[0] == 2.0f && data->target_width == 1);
    tonnx_dataset_free(data);
}
END_TEST

START_TEST(a_header_is_what_the_caller_says)
{
    tonnx_dataset *data = NULL;
    tonnx_dataset_info info;
    tonnx_data_options options = TONNX_DATA_OPTIONS_DEFAULT;
    const char *path = scratch_text("t.csv", "1,2,3\n4,5,6\n7,8,9\n");
    static const size_t samples[] = { [TONNX_HEADER_AUTO] = 2, [TONNX_HEADER_YES] = 2, [TONNX_HEADER_NO] = 3 };
    for (int header = TONNX_HEADER_AUTO; header <= TONNX_HEADER_NO; header++) {
        options.header = (tonnx_header)header;
        ck_ok(tonnx_dataset_load(&data, path, NULL, &options));
        tonnx_dataset_describe(data, &info);
        ck_assert_uint_eq(info.samples, samples[header]);
        tonnx_dataset_free(data);
    }
}
END_TEST

START_TEST(other_columns_than_those_wanted_are_left_out)
{
    tonnx_dataset *data = NULL;
    tonnx_dataset_info info;
    tonnx_data_options options = TONNX_DATA_OPTIONS_DEFAULT;
    static const char *const wanted[] = { "a", "b" };
    options.columns = wanted;
    options.column_count = 2;
    ck_ok(tonnx_dataset_load(&data, scratch_text("t.csv", "id,b,kind,a\nx,1,cat,2\n"), "kind", &options));
    tonnx_dataset_describe(data, &info);
    ck_assert_uint_eq(info.features, 2);
    ck_assert_str_eq(info.column_names[0], "b"); /* the file's order: tonnx_dataset_order_columns changes it */
    ck_assert_str_eq(info.target_name, "kind");
    tonnx_dataset_free(data);
    ck_ok(tonnx_dataset_load(&data, scratch_text("t.csv", "1,2\n3,4\n"), NULL, &options)); /* no header: by place */
    tonnx_dataset_free(data);
    ck_fails(tonnx_dataset_load(&data, scratch_text("t.csv", "b,c\n1,2\n"), NULL, &options), TONNX_BAD_DATA,
             "column 'a', which the model was trained on, is not in it");
    ck_fails(tonnx_dataset_load(&data, scratch_text("t.csv", "a,b\n1,2\n"), "b", &options), TONNX_BAD_DATA,
             "column 'b', which the model was trained on, is its target here");
}
END_TEST

START_TEST(what_is_no_table_is_called_what_it_is)
{
    tonnx_dataset *data = NULL;
    ck_fails(tonnx_dataset_load(&data, scratch_write("m.onnx", "\x08\x08\x12\x07pytorch", 11), NULL, NULL),
             TONNX_BAD_DATA, "is an ONNX model, not data");
    ck_fails(tonnx_dataset_load(&data, scratch_write("n.bin", "\x08\x41\x12,1\n", 6), NULL, NULL), TONNX_BAD_DATA,
             "neither text nor a format");
    ck_fails(tonnx_dataset_load(&data, scratch_write("o.bin", "\x08\x08,1\n", 5), NULL, NULL), TONNX_BAD_DATA,
             "neither text nor a format");
    ck_fails(tonnx_dataset_load(&data,
                                scratch_write("b.bin",
                                              "\x7f"
                                              "ELF\x02\x01\x01",
                                              7),
                                NULL, NULL),
             TONNX_BAD_DATA, "neither text nor a format");
}
END_TEST

START_TEST(what_was_inferred_is_said)
{
    tonnx_dataset_free(table("a,b,k\n1,2,dog\n3,4,cat\n", "k"));
    ck_assert_str_eq(
        said, "t.csv: CSV with header, 2 samples of 2 features; target 'k' (column 3 of 3): 2 text classes (cat, dog)");
    tonnx_dataset_free(table("1\t2\n3\t4\n", "#2"));
    ck_assert_str_eq(said,
                     "t.csv: TSV without header, 2 samples of 1 feature; target '#2' (column 2 of 2): classes 0 to 4");
    tonnx_dataset_free(table("0,1,2,3,4,5,6,7\n9,9,9,9,9,9,9,9\n", NULL));
    ck_assert_str_eq(said, "t.csv: CSV with header (its first line 0, 1, 2, 3, 4, … is taken as column numbers; "
                           "--header no: it is a sample), 1 sample of 8 features; no target");
    tonnx_dataset_free(table("a,k\n1,b\n1,c\n1,d\n1,e\n1,f\n1,g\n1,h\n1,i\n1,j\n", "k"));
    ck_assert_str_eq(said, "t.csv: CSV with header, 9 samples of 1 feature; target 'k' (column 2 of 2): 9 text classes "
                           "(b, c, d, e, f, g, h, i, …)");
}
END_TEST

/* 200,000 rows in all forms of growth: the estimate from a short first row is too low for the rest. */
START_TEST(many_rows_arrive_in_order)
{
    enum { ROWS = 200000 };
    char *text = malloc(ROWS * 24 + 100);
    size_t at =
        (size_t)sprintf(text, "%s", "a,k\n0000000000000000000000000000000000000000000000000000000000000000,0\n");
    for (int i = 1; i < ROWS; i++) at += (size_t)sprintf(text + at, "%d,%d\n", i, i % 7);
    tonnx_dataset *data = table(text, "k");
    ck_assert_uint_eq(data->samples, ROWS);
    for (int i = 0; i < ROWS; i++) ck_assert(data->x[i] == (float)i && data->classes[i] == i % 7);
    tonnx_dataset_free(data);
    free(text);
}
END_TEST

/* A plain number takes the fast way, a quoted one the slow way: they come to the same bits. */
START_TEST(both_ways_read_the_same_numbers)
{
    enum { ROWS = 100000 };
    char *text = malloc(ROWS * 160 + 100);
    size_t at = (size_t)sprintf(text, "plain,quoted\n");
    uint64_t x = 88172645463325252u;
    for (int i = 0; i < ROWS; i++) {
        char number[32];
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        const double value = (double)(int64_t)x * pow(10.0, (double)(x % 40) - 36.0);
        if (i % 4) snprintf(number, sizeof number, i % 4 == 1 ? "%.*g" : "%.*e", (int)(x % 19), value);
        else snprintf(number, sizeof number, "%" PRIi64 ".%u", (int64_t)x >> x % 64, (unsigned)(x >> 50));
        at += (size_t)sprintf(text + at, "%s,\"%s\"\n", number, number);
        at += (size_t)sprintf(text + at, "%s,%s\n", number, number);
    }
    tonnx_dataset *data = table(text, NULL);
    ck_assert_uint_eq(data->samples, 2 * ROWS);
    for (int i = 0; i < ROWS; i++) /* plain means the whole record: the second row of each pair is, the first is not */
        ck_assert(!memcmp(data->x + 4 * i, data->x + 4 * i + 2, 2 * sizeof(float)));
    tonnx_dataset_free(data);
    free(text);
}
END_TEST

START_TEST(a_line_of_commas_is_bounded)
{
    const size_t size = 4 << 20;
    char *text = malloc(size);
    tonnx_dataset *data = NULL;
    memset(text, ',', size);
    ck_fails(tonnx_dataset_load(&data, scratch_write("commas.csv", text, size), NULL, NULL), TONNX_BAD_DATA, "columns");
    memset(text, '7', size); /* one number of four million digits */
    ck_fails(tonnx_dataset_load(&data, scratch_write("digits.csv", text, size), NULL, NULL), TONNX_BAD_DATA, "beyond");
    free(text);
}
END_TEST

START_TEST(a_line_without_end_is_bounded)
{
    const size_t size = (32 << 20) + 100;
    char *text = malloc(size);
    tonnx_dataset *data = NULL;
    memset(text, 'x', size);
    ck_fails(tonnx_dataset_load(&data, scratch_write("line.csv", text, size), NULL, NULL), TONNX_BAD_DATA,
             "line.csv:1: the line is longer than 32 MiB");
    free(text);
}
END_TEST

static Suite *csv_suite(void)
{
    const TTest *tests[] = {
        tables_mean_what_they_say,
        wrong_tables_are_refused_with_line_and_column,
        nul_bytes_are_refused_wherever_they_stand,
        numbers_are_rounded_correctly,
        what_comes_the_fast_way_is_bounded_too,
        long_cells_are_read,
        a_file_of_words_is_a_target,
        wanted_columns_are_not_those_of_a_target_file,
        a_decimal_comma_locale_changes_nothing,
        a_limit_keeps_what_the_whole_file_says,
        targets_may_be_a_second_table,
        a_column_goes_before_a_file_of_its_name,
        so_many_classes_are_no_target,
        given_class_names_fix_the_order,
        given_class_names_may_be_numbers,
        wide_tables_of_blanks,
        far_zeros_and_far_exponents,
        numbers_where_numbers_are_wanted,
        a_header_is_what_the_caller_says,
        other_columns_than_those_wanted_are_left_out,
        what_is_no_table_is_called_what_it_is,
        what_was_inferred_is_said,
        many_rows_arrive_in_order,
        both_ways_read_the_same_numbers,
        a_line_of_commas_is_bounded,
        a_line_without_end_is_bounded,
    };
    Suite *suite = suite_create("csv");
    TCase *tables = tcase_create("tables");
    tcase_set_timeout(tables, 60);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) tcase_add_test(tables, tests[i]);
    suite_add_tcase(suite, tables);
    return suite;
}

int main(void)
{
    scratch_make();
    const int result = run_suite(csv_suite());
    scratch_remove();
    return result;
}
