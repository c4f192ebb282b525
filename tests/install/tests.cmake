if(TONNX_SANITIZE)
  set(install_flags -fsanitize=${TONNX_SANITIZE})
endif()
add_test(NAME install COMMAND sh ${PROJECT_SOURCE_DIR}/tests/install/install.sh ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}
  ${PROJECT_SOURCE_DIR}/tests/data/train/sgd-tanh-ce ${install_flags})
