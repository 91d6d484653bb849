/* models.h - the questions of llm_list_models that are not answered yet. */
#ifndef PARLEY_LLM_MODELS_H
#define PARLEY_LLM_MODELS_H

struct llm;

/* Ends them all without a word. */
void models_drop(struct llm *llm);

#endif
