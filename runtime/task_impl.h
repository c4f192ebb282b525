/* The task: which loss, read where, against which targets. Shared by training and evaluation, so that both mean the same. */
#ifndef TONNX_RUNTIME_TASK_IMPL_H
#define TONNX_RUNTIME_TASK_IMPL_H

#include "runtime/lower/lower_impl.h"

/* Checks that the data set fits the net and settles goal's loss, loss_value, loss_a, classes and target_width. `auto` is
 * cross-entropy for class targets (one-hot ones, too, where the model ends in Softmax or LogSoftmax), bce for one sigmoid
 * output or 0/1 targets, mse else. Cross-entropy, nll and bce of a model that ends in Softmax, LogSoftmax or Sigmoid are
 * those of what stands before that node. Fails with TONNX_BAD_DATA, naming both sides' dimensions. */
tonnx_status tonnx__task_fit(tonnx__goal *goal, const tonnx_net *net, const tonnx_dataset *data, tonnx_loss loss, double huber_delta);

/* The features alone: what prediction needs. */
tonnx_status tonnx__task_fit_features(const tonnx_net *net, const tonnx_dataset *data);

#endif
