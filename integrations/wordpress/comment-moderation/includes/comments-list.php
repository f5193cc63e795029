<?php
/**
 * A column in the list of comments: what the service decided, and why. And a word when it is not reached.
 *
 * @package Comment_Moderation
 */

namespace Comment_Moderation;

defined( 'ABSPATH' ) || exit;

add_filter( 'manage_edit-comments_columns', __NAMESPACE__ . '\\add_column' );
add_action( 'manage_comments_custom_column', __NAMESPACE__ . '\\show_column', 10, 2 );
add_action( 'admin_notices', __NAMESPACE__ . '\\show_failing' );

/**
 * Adds the column.
 *
 * @param string[] $columns Those that there are.
 * @return string[]
 */
function add_column( array $columns ): array {
	$columns['comment_moderation'] = __( 'Moderation', 'comment-moderation' );
	return $columns;
}

/**
 * Shows the column's cell of one comment.
 *
 * @param string $column     The column's name.
 * @param int    $comment_id The comment.
 */
function show_column( $column, $comment_id ): void {
	if ( 'comment_moderation' !== $column ) {
		return;
	}
	$record = record( (int) $comment_id );
	$words  = state_words( $record, todo( (int) $comment_id ) );
	echo esc_html( $words );
	foreach ( $record['reasons'] ?? array() as $reason ) {
		$score = isset( $reason['score'] ) ? ' ' . number_format_i18n( (float) $reason['score'], 2 ) : '';
		echo '<br>' . esc_html( str_replace( '_', ' ', (string) ( $reason['rule'] ?? '' ) ) . $score );
	}
	foreach ( answer_words( $record ) as $words ) {
		echo '<br>' . esc_html( $words );
	}
}

/**
 * Where a comment stands between WordPress and the service.
 *
 * @param array  $record Of the comment.
 * @param string $todo   What is to be done for it.
 */
function state_words( array $record, string $todo ): string {
	if ( isset( $record['fallback'] ) ) {
		return __( 'The service was not reached: WordPress decided. It will be sent.', 'comment-moderation' );
	}
	if ( isset( $record['error'] ) ) {
		/* translators: %s: code of an error. */
		return sprintf( __( 'The service did not take it: %s', 'comment-moderation' ), $record['error'] );
	}
	$todos = array(
		'send'   => __( 'To be sent', 'comment-moderation' ),
		'change' => __( 'Change to be told', 'comment-moderation' ),
		'wait'   => __( 'Waiting for the decision', 'comment-moderation' ),
	);
	if ( isset( $todos[ $todo ] ) ) {
		return $todos[ $todo ];
	}
	if ( isset( $record['imported'] ) && ! isset( $record['status'] ) ) {
		return __( 'Sent as history', 'comment-moderation' );
	}
	$statuses = array(
		'approved' => __( 'Approved', 'comment-moderation' ),
		'held'     => __( 'Held', 'comment-moderation' ),
		'rejected' => __( 'Rejected', 'comment-moderation' ),
	);
	$sources  = array(
		'policy'    => __( 'by policy', 'comment-moderation' ),
		'moderator' => __( 'by a moderator', 'comment-moderation' ),
		'site'      => __( 'here', 'comment-moderation' ),
	);
	return trim( ( $statuses[ $record['status'] ?? '' ] ?? '' ) . ' ' . ( $sources[ $record['source'] ?? '' ] ?? '' ) );
}

/**
 * Says on the pages about comments that the service is not reached.
 */
function show_failing(): void {
	$screen = get_current_screen();
	if ( $screen && 'edit-comments' === $screen->id && health()['failures'] && current_user_can( 'moderate_comments' ) ) {
		echo '<div class="notice notice-warning"><p>' . esc_html( failing_words() ) . '</p></div>';
	}
}
