/* The grids of tiles. They depend on shapes alone, never on the number of threads. */
#include "runtime/cpu/cpu_impl.h"

enum { TILE = 4096 }; /* elements: 16 KiB, which a core's first cache holds beside a second operand */

void tonnx__cut_grid(tonnx__cpu_task *task, tonnx__cpu_tile *tile, size_t rows, size_t cols, size_t tall, size_t wide)
{
    task->tile = tile;
    task->rows = rows;
    task->cols = cols;
    task->tall = tall;
    task->wide = wide;
    task->across = tonnx__parts(cols, wide);
    task->tiles = tonnx__parts(rows, tall) * task->across;
}

void tonnx__cut_flat(tonnx__cpu_task *task, tonnx__cpu_tile *tile, size_t count)
{
    tonnx__cut_grid(task, tile, 1, count, 1, TILE);
}

void tonnx__cut_rows(tonnx__cpu_task *task, tonnx__cpu_tile *tile, size_t rows, size_t cols)
{
    tonnx__cut_grid(task, tile, rows, cols, cols < TILE ? TILE / cols : 1, cols);
}

size_t tonnx__batch_tile(const tonnx__cpu_task *task, size_t rows)
{
    enum { LEAST = 8, MOST = 16 };
    return !task->shared ? rows : rows > LEAST * MOST ? tonnx__parts(tonnx__parts(rows, MOST), LEAST) * LEAST : LEAST;
}

void tonnx__cut_batch(tonnx__cpu_task *task, tonnx__cpu_tile *tile, size_t rows, size_t cols)
{
    if (task->shared) tonnx__cut_grid(task, tile, rows, cols, tonnx__batch_tile(task, rows), cols);
    else tonnx__cut_rows(task, tile, rows, cols);
}

void tonnx__cut_columns(tonnx__cpu_task *task, tonnx__cpu_tile *tile, size_t cols)
{
    tonnx__cut_grid(task, tile, 1, cols, 1, TONNX__COLUMNS);
}

tonnx__span tonnx__tile_rows(const tonnx__cpu_task *task, size_t index, size_t rows)
{
    return tonnx__part(index / task->across * task->tall, task->tall, rows);
}

tonnx__span tonnx__tile_columns(const tonnx__cpu_task *task, size_t index, size_t cols)
{
    return tonnx__part(index % task->across * task->wide, task->wide, cols);
}

tonnx__span tonnx__tile_flat(const tonnx__cpu_task *task, size_t index, size_t count)
{
    return tonnx__tile_columns(task, index, count);
}
